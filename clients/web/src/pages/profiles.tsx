import { Lock, Pencil, Plus } from "lucide-react";
import { Link, useLoaderData, useSearchParams } from "react-router";
import type { Profile } from "../../../../contracts/web/index.ts";
import { Avatar } from "../../../ui/avatar.tsx";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormError, FormPage } from "../form.tsx";
import { useViewer } from "../hooks.ts";
import type { LoaderData } from "../loaders.ts";
import { ProfileForm } from "../profile-form.tsx";

/** Only addresses of our own: what comes in the query must not send anybody elsewhere. */
function safeReturn(value: string | null): string {
  return value !== null && /^\/(?![/\\])/.test(value) ? value : "/";
}

export function Component() {
  const { profiles, max } = useLoaderData<LoaderData<"profiles">>();
  const { m } = useWords();
  const [query] = useSearchParams();
  const returnTo = safeReturn(query.get("returnTo"));
  const byId = (id: string | null) => profiles.find((profile) => profile.id === id);
  // A refused choice comes back with the profile that was asked for.
  const error = query.get("error");
  const wantsPin =
    byId(query.get("pin")) ?? (error?.startsWith("pin_") === true ? byId(query.get("profileId")) : undefined);
  const edited = byId(query.get("edit"));
  if (wantsPin !== undefined) return <PinPage profile={wantsPin} returnTo={returnTo} isWrong={error === "pin_wrong"} />;
  if (edited !== undefined) return <ProfileForm profile={edited} canDelete={profiles.length > 1} />;
  if (query.get("edit") === "new" && profiles.length < max) return <ProfileForm profile={null} canDelete={false} />;
  const isManaging = query.get("manage") === "1";
  return (
    <div className="gutter flex min-h-dvh flex-col items-center justify-center gap-12 pt-24 pb-16">
      <FormError error={error} />
      <h1 className="display text-center text-40 sm:text-64">{isManaging ? m.manageProfiles : m.whoIsWatching}</h1>
      <ul className="flex max-w-5xl flex-wrap justify-center gap-x-6 gap-y-8 sm:gap-x-10">
        {profiles.map((profile) => (
          <li key={profile.id}>
            {isManaging ? <EditLink profile={profile} /> : <Choice profile={profile} returnTo={returnTo} />}
          </li>
        ))}
        {profiles.length < max && (
          <li className="needs-script">
            <Link to="/profiles?edit=new" className="group flex w-28 flex-col items-center gap-3 sm:w-36">
              <span className="flex aspect-square w-full items-center justify-center rounded-[22%] bg-lift-1 text-ink-2 transition-colors group-hover:bg-lift-2 group-hover:text-ink">
                <Plus size={40} aria-hidden="true" />
              </span>
              <span className="text-center text-16 text-ink-2 group-hover:text-ink">{m.addProfile}</span>
            </Link>
          </li>
        )}
      </ul>
      <Link to={isManaging ? "/profiles" : "/profiles?manage=1"} className="button button-quiet needs-script">
        {isManaging ? m.doneManaging : m.manageProfiles}
      </Link>
    </div>
  );
}

const face = "aspect-square w-full transition-transform duration-200 group-hover:scale-105";
const card = "group flex w-28 flex-col items-center gap-3 sm:w-36";

function Name({ profile }: { profile: Profile }) {
  const { m } = useWords();
  return (
    <span className="flex max-w-full items-center gap-1.5 text-16 text-ink-2 group-hover:text-ink">
      <span className="truncate">{profile.name}</span>
      {profile.hasPin && <Lock size={14} role="img" aria-label={m.lockedProfile} className="flex-none" />}
    </span>
  );
}

/** A plain form: choosing sets a cookie, and works where no script runs. A profile with a PIN goes by the PIN's page. */
function Choice({ profile, returnTo }: { profile: Profile; returnTo: string }) {
  if (profile.hasPin) {
    return (
      <Link to={`/profiles?pin=${profile.id}&returnTo=${encodeURIComponent(returnTo)}`} className={card}>
        <Avatar avatar={profile.avatar} className={face} />
        <Name profile={profile} />
      </Link>
    );
  }
  return (
    <form method="post" action="/profiles/select">
      <input type="hidden" name="profileId" value={profile.id} />
      <input type="hidden" name="returnTo" value={returnTo} />
      <button type="submit" className={card}>
        <Avatar avatar={profile.avatar} className={face} />
        <Name profile={profile} />
      </button>
    </form>
  );
}

function EditLink({ profile }: { profile: Profile }) {
  const { m } = useWords();
  return (
    <Link to={`/profiles?edit=${profile.id}`} className={card} aria-label={m.editProfile(profile.name)}>
      <span className="relative w-full">
        <Avatar avatar={profile.avatar} className={`${face} opacity-50`} />
        <Pencil size={32} aria-hidden="true" className="absolute inset-0 m-auto" />
      </span>
      <Name profile={profile} />
    </Link>
  );
}

function PinPage({ profile, returnTo, isWrong }: { profile: Profile; returnTo: string; isWrong: boolean }) {
  const { m } = useWords();
  const viewer = useViewer();
  return (
    <FormPage title={m.enterPin(profile.name)}>
      {isWrong && (
        <p role="alert" className="rounded-xl bg-lift-2 px-4 py-3 text-16 text-warn">
          {m.pinWrong}
        </p>
      )}
      <form method="post" action="/profiles/select" className="flex flex-col gap-5">
        <input type="hidden" name="profileId" value={profile.id} />
        <input type="hidden" name="returnTo" value={returnTo} />
        <Field
          label={m.pin}
          name="pin"
          type="password"
          inputMode="numeric"
          pattern="[0-9]{4}"
          maxLength={4}
          required
          autoComplete="off"
          dir="ltr"
          style={{ fontSize: "1.75rem", letterSpacing: "0.5em", minHeight: "4rem" }}
        />
        <div className="flex flex-wrap gap-3">
          <button type="submit" className="button button-primary">
            {m.open}
          </button>
          <Link to={viewer?.profile == null ? "/profiles" : "/"} className="button button-quiet">
            {m.cancel}
          </Link>
        </div>
      </form>
    </FormPage>
  );
}

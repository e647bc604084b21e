import { type FormEvent, useState } from "react";
import { Link, useNavigate, useRevalidator } from "react-router";
import type { AgeRating, NewProfile, Profile, ProfileChange } from "../../../contracts/web/index.ts";
import { AVATAR_COLORS, AVATAR_SHAPES, Avatar } from "../../ui/avatar.tsx";
import { LOCALE_NAMES, LOCALES } from "../../ui/locale.ts";
import { useWords } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";
import { Field, FormPage } from "./form.tsx";
import { PersonalisationSwitch } from "./personalisation.tsx";

const AGES: readonly AgeRating[] = ["0", "6", "12", "16", "18"];

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** A new profile or the change of one. */
export function ProfileForm({ profile, canDelete }: { profile: Profile | null; canDelete: boolean }) {
  const { m } = useWords();
  const navigate = useNavigate();
  const { revalidate } = useRevalidator();
  const [avatar, setAvatar] = useState<Profile["avatar"]>(profile?.avatar ?? { shape: 0, color: AVATAR_COLORS[1] });
  const [isKids, setIsKids] = useState(profile?.isKids ?? false);
  const [isBusy, setIsBusy] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);

  const run = (work: () => Promise<unknown>) => {
    setIsBusy(true);
    setHasFailed(false);
    work()
      .then(async () => {
        await revalidate();
        await navigate("/profiles?manage=1");
      })
      .catch(() => setHasFailed(true))
      .finally(() => setIsBusy(false));
  };
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const language = textOf(form, "language");
    const body = {
      name: textOf(form, "name"),
      isKids,
      avatar,
      ...(language === "" ? {} : { language }),
      ageRatingMax: isKids ? "6" : (AGES.find((age) => age === textOf(form, "age")) ?? "18"),
    } satisfies NewProfile;
    const pin = textOf(form, "pin");
    const withPin: ProfileChange =
      form.get("removePin") === "on" ? { ...body, pin: null } : pin === "" ? body : { ...body, pin };
    run(async () => {
      if (profile !== null) await browserApi.changeProfile(profile.id, withPin);
      else {
        const created = await browserApi.createProfile(body);
        if (pin !== "") await browserApi.changeProfile(created.id, { pin });
      }
    });
  };
  const remove = () => {
    if (profile !== null && window.confirm(m.deleteProfileSure(profile.name)))
      run(() => browserApi.deleteProfile(profile.id));
  };

  return (
    <FormPage title={profile === null ? m.newProfile : m.editProfile(profile.name)}>
      {hasFailed && (
        <p role="alert" className="rounded-xl bg-lift-2 px-4 py-3 text-16 text-warn">
          {m.couldNotSave}
        </p>
      )}
      <form onSubmit={save} className="flex flex-col gap-6">
        <Field label={m.name} name="name" required maxLength={40} defaultValue={profile?.name ?? ""} />
        <Looks avatar={avatar} onChange={setAvatar} />
        <div className="flex min-h-11 items-center gap-4">
          <input
            id="is-kids"
            type="checkbox"
            checked={isKids}
            onChange={(event) => setIsKids(event.target.checked)}
            aria-describedby="is-kids-hint"
            className="size-6 flex-none accent-(--color-accent)"
          />
          <div>
            <label htmlFor="is-kids" className="block text-16 font-semibold">
              {m.kids}
            </label>
            <p id="is-kids-hint" className="text-14 text-ink-2">
              {m.kidsHint}
            </p>
          </div>
        </div>
        {profile !== null && <PersonalisationSwitch profileId={profile.id} />}
        {!isKids && (
          <label className="block">
            <span className="mb-1.5 block text-14 font-medium text-ink-2">{m.ageLimit}</span>
            <select name="age" defaultValue={profile?.ageRatingMax ?? "18"} className="field">
              {AGES.map((age) => (
                <option key={age} value={age}>
                  {age}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="block">
          <span className="mb-1.5 block text-14 font-medium text-ink-2">{m.language}</span>
          <select name="language" defaultValue={profile?.language.split("-")[0] ?? ""} className="field">
            <option value="">{m.languageOwn}</option>
            {LOCALES.map((locale) => (
              <option key={locale} value={locale}>
                {LOCALE_NAMES[locale]}
              </option>
            ))}
          </select>
        </label>
        <Field
          label={m.pin}
          name="pin"
          inputMode="numeric"
          pattern="[0-9]{4}"
          maxLength={4}
          autoComplete="off"
          hint={m.pinHint}
          dir="ltr"
        />
        {profile?.hasPin === true && (
          <label className="flex min-h-11 items-center gap-4 text-16">
            <input type="checkbox" name="removePin" className="size-6 accent-(--color-accent)" />
            {m.pinRemove}
          </label>
        )}
        <div className="flex flex-wrap gap-3">
          <button type="submit" disabled={isBusy} className="button button-primary">
            {m.save}
          </button>
          <Link to="/profiles?manage=1" className="button button-quiet">
            {m.cancel}
          </Link>
          {profile !== null && canDelete && (
            <button type="button" disabled={isBusy} onClick={remove} className="button button-plain ms-auto">
              {m.deleteProfile}
            </button>
          )}
        </div>
      </form>
    </FormPage>
  );
}

function Looks({ avatar, onChange }: { avatar: Profile["avatar"]; onChange(avatar: Profile["avatar"]): void }) {
  const { m } = useWords();
  return (
    <fieldset>
      <legend className="mb-2 text-14 font-medium text-ink-2">{m.look}</legend>
      <div className="grid grid-cols-6 gap-2">
        {Array.from({ length: AVATAR_SHAPES }, (_, shape) => (
          <button
            key={shape}
            type="button"
            aria-label={m.lookNumber(shape + 1)}
            aria-pressed={avatar.shape === shape}
            onClick={() => onChange({ ...avatar, shape })}
            className="rounded-[22%] p-0.5 aria-pressed:ring-2 aria-pressed:ring-ink"
          >
            <Avatar avatar={{ shape, color: avatar.color }} className="w-full" />
          </button>
        ))}
      </div>
      <div className="mt-3 grid grid-cols-5 sm:grid-cols-10">
        {AVATAR_COLORS.map((color, index) => (
          <button
            key={color}
            type="button"
            aria-label={`${m.look} ${String.fromCharCode(65 + index)}`}
            aria-pressed={avatar.color === color}
            onClick={() => onChange({ ...avatar, color })}
            className="flex h-11 items-center justify-center"
          >
            <span
              className={`size-8 rounded-full ${avatar.color === color ? "ring-2 ring-ink ring-offset-2 ring-offset-ground" : ""}`}
              style={{ background: color }}
            />
          </button>
        ))}
      </div>
    </fieldset>
  );
}

import { useRef } from "react";
import { useSearchParams } from "react-router";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormError, FormPage, textLink } from "../form.tsx";
import { useViewer } from "../hooks.ts";

const PROVIDERS: Readonly<Record<string, string>> = { google: "Google", apple: "Apple" };

export function Component() {
  const { m } = useWords();
  const viewer = useViewer();
  const [query] = useSearchParams();
  const form = useRef<HTMLFormElement>(null);
  const interaction = query.get("interaction") ?? "";
  const error = query.get("error");
  const fill = (email: string, password: string) => {
    const elements = form.current?.elements;
    const [emailInput, passwordInput] = [elements?.namedItem("email"), elements?.namedItem("password")];
    if (emailInput instanceof HTMLInputElement) emailInput.value = email;
    if (passwordInput instanceof HTMLInputElement) passwordInput.value = password;
    form.current?.requestSubmit();
  };
  return (
    <FormPage title={m.signIn}>
      <FormError error={error} />
      <form ref={form} method="post" action="/sign-in" className="flex flex-col gap-5">
        <input type="hidden" name="interaction" value={interaction} />
        <Field
          label={m.email}
          name="email"
          type="email"
          autoComplete="username"
          required
          maxLength={254}
          defaultValue={query.get("email") ?? ""}
          aria-invalid={error === "credentials" ? true : undefined}
        />
        <Field
          label={m.password}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          maxLength={200}
          aria-invalid={error === "credentials" ? true : undefined}
        />
        <button type="submit" className="button button-primary mt-1">
          {m.signIn}
        </button>
      </form>
      {(viewer?.signInWith ?? []).map((provider) => (
        <a
          key={provider}
          href={`/sign-in/with/${provider}?interaction=${encodeURIComponent(interaction)}`}
          className="button button-quiet"
        >
          {m.signInWith(PROVIDERS[provider] ?? provider)}
        </a>
      ))}
      <div className="flex flex-wrap justify-between gap-x-6 text-16 text-ink-2">
        <a href="/forgot-password" className={textLink}>
          {m.forgotPassword}
        </a>
        <p>
          {m.newHere}{" "}
          <a href={`/sign-up?interaction=${encodeURIComponent(interaction)}`} className={textLink}>
            {m.signUp}
          </a>
        </p>
      </div>
      {viewer !== null && viewer.demoAccounts.length > 0 && (
        <section className="mt-4 rounded-xl bg-lift-1 p-5">
          <h2 className="text-14 text-ink-3">{m.demoAccounts}</h2>
          <ul className="mt-2">
            {viewer.demoAccounts.map(({ email, password }) => (
              <li key={email} className="flex items-center justify-between gap-4 py-1">
                <p className="min-w-0 text-14">
                  <span className="block truncate">{email}</span>
                  <code className="text-ink-2">{password}</code>
                </p>
                <button
                  type="button"
                  aria-label={`${m.useThis}: ${email}`}
                  onClick={() => fill(email, password)}
                  className="button button-quiet button-small needs-script"
                >
                  {m.useThis}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </FormPage>
  );
}

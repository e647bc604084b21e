import { useSearchParams } from "react-router";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormError, FormPage, textLink } from "../form.tsx";

export function Component() {
  const { m } = useWords();
  const [query] = useSearchParams();
  const interaction = query.get("interaction") ?? "";
  const error = query.get("error");
  return (
    <FormPage title={m.signUp}>
      <FormError error={error} />
      <form method="post" action="/sign-up" className="flex flex-col gap-5">
        <input type="hidden" name="interaction" value={interaction} />
        <Field
          label={m.name}
          name="name"
          autoComplete="name"
          required
          maxLength={100}
          defaultValue={query.get("name") ?? ""}
        />
        <Field
          label={m.email}
          name="email"
          type="email"
          autoComplete="email"
          required
          maxLength={254}
          defaultValue={query.get("email") ?? ""}
          aria-invalid={error === "email_taken" ? true : undefined}
        />
        <Field
          label={m.password}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={200}
          hint={m.passwordHint}
          aria-invalid={error === "password_short" ? true : undefined}
        />
        <button type="submit" className="button button-primary mt-1">
          {m.signUp}
        </button>
      </form>
      <p className="text-16 text-ink-2">
        {m.haveAccount}{" "}
        <a
          href={interaction === "" ? "/sign-in" : `/sign-in?interaction=${encodeURIComponent(interaction)}`}
          className={textLink}
        >
          {m.signIn}
        </a>
      </p>
    </FormPage>
  );
}

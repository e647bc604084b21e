import { useSearchParams } from "react-router";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormError, FormPage } from "../form.tsx";

export function Component() {
  const { m } = useWords();
  const [query] = useSearchParams();
  return (
    <FormPage title={m.resetTitle}>
      <FormError error={query.get("error")} />
      <form method="post" action="/reset-password" className="flex flex-col gap-5">
        <input type="hidden" name="token" value={query.get("token") ?? ""} />
        <Field
          label={m.password}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={200}
          hint={m.passwordHint}
        />
        <button type="submit" className="button button-primary">
          {m.savePassword}
        </button>
      </form>
    </FormPage>
  );
}

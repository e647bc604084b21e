import { useSearchParams } from "react-router";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormError, FormPage, textLink } from "../form.tsx";

export function Component() {
  const { m } = useWords();
  const [query] = useSearchParams();
  const isSent = query.get("sent") === "1";
  return (
    <FormPage title={m.forgotTitle} text={isSent ? m.forgotSent : m.forgotText}>
      <FormError error={query.get("error")} />
      {!isSent && (
        <form method="post" action="/forgot-password" className="flex flex-col gap-5">
          <Field label={m.email} name="email" type="email" autoComplete="username" required maxLength={254} />
          <button type="submit" className="button button-primary">
            {m.sendLink}
          </button>
        </form>
      )}
      <a href="/sign-in" className={textLink}>
        {m.backToSignIn}
      </a>
    </FormPage>
  );
}

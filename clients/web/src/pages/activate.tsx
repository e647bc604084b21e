import { useSearchParams } from "react-router";
import { useWords } from "../../../ui/words.tsx";
import { Field, FormPage } from "../form.tsx";

export function Component() {
  const { m } = useWords();
  const [query] = useSearchParams();
  const code = query.get("code") ?? "";
  if (query.get("done") === "1") {
    return (
      <FormPage title={m.activateDone} text={m.activateDoneText}>
        <a href="/" className="button button-primary self-start">
          {m.goHome}
        </a>
      </FormPage>
    );
  }
  if (query.get("confirm") === "1") {
    return (
      <FormPage title={m.activateConfirm(query.get("device") ?? "")} text={m.activateConfirmText}>
        <form method="post" action="/activate" className="flex flex-wrap gap-3">
          <input type="hidden" name="code" value={code} />
          <input type="hidden" name="confirm" value="1" />
          <button type="submit" className="button button-primary">
            {m.activateAllow}
          </button>
          <a href="/" className="button button-quiet">
            {m.cancel}
          </a>
        </form>
      </FormPage>
    );
  }
  return (
    <FormPage title={m.activateTitle} text={m.activateText}>
      {query.get("error") !== null && (
        <p role="alert" className="rounded-xl bg-lift-2 px-4 py-3 text-16 text-warn">
          {m.activateError}
        </p>
      )}
      <form method="post" action="/activate" className="flex flex-col gap-5">
        <Field
          label={m.activateCode}
          name="code"
          required
          minLength={6}
          maxLength={9}
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          dir="ltr"
          defaultValue={code}
          style={{ fontSize: "1.75rem", letterSpacing: "0.3em", textTransform: "uppercase", minHeight: "4rem" }}
        />
        <button type="submit" className="button button-primary">
          {m.activateNext}
        </button>
      </form>
    </FormPage>
  );
}

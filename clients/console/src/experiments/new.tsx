import { type FormEvent, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api.ts";
import { useLive } from "../live.ts";
import { BackTo, FieldRow, PageHead } from "../parts.tsx";
import { useDeeds } from "../undo.tsx";
import { EMPTY_FORM, type Form, METRICS, problemsOf, toRequest } from "./words.ts";

/** Starts an experiment. What is wrong is said beside its field, once somebody has tried. */
export function NewExperimentPage() {
  const known = useLive("experiments", async (signal) => (await api.experiments(signal)).experiments, 0);
  const [form, setForm] = useState<Form>(EMPTY_FORM);
  const [hasTried, setHasTried] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const { attempt } = useDeeds();
  const navigate = useNavigate();
  const problems = problemsOf(form, known.data ?? []);
  const shown = hasTried ? problems : {};
  const field = (name: keyof Form) => ({
    name,
    value: form[name],
    className: "field",
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setHasTried(true);
    const [first] = Object.keys(problems);
    if (first !== undefined) {
      element.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
      return;
    }
    setIsBusy(true);
    const isStarted = await attempt(() => api.start(toRequest(form)), { text: `${form.name} runs` });
    setIsBusy(false);
    if (isStarted) await navigate(`/experiments/run/${form.name}`);
  };
  const metric = METRICS[form.metric];
  return (
    <div className="page">
      <PageHead
        above={<BackTo to="/experiments">Experiments</BackTo>}
        title="Start an experiment"
        text="People meet it from the moment that you start it. It can be stopped at any time, and everybody has the control again."
      />
      <form ref={element} noValidate className="form" onSubmit={(event) => void submit(event)}>
        <FieldRow label="Name" hint="Lower-case letters, digits and hyphens" error={shown.name}>
          {(ids) => <input {...ids} {...field("name")} autoComplete="off" spellCheck={false} />}
        </FieldRow>
        <FieldRow label="Surface" hint="Where people meet it, such as home or search" error={shown.surface}>
          {(ids) => <input {...ids} {...field("surface")} autoComplete="off" spellCheck={false} />}
        </FieldRow>
        <FieldRow
          label="Treatment, in percent of people"
          hint="5 to 50; as many have the control, and nobody else is counted"
          error={shown.percent}
        >
          {(ids) => <input {...ids} {...field("percent")} inputMode="numeric" />}
        </FieldRow>
        <FieldRow label="What decides" hint={metric?.unit}>
          {(ids) => (
            <select {...ids} {...field("metric")}>
              {Object.entries(METRICS).map(([value, { name }]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </FieldRow>
        <FieldRow label="Effect that is worth finding" hint={metric?.hint} error={shown.scale}>
          {(ids) => <input {...ids} {...field("scale")} inputMode="decimal" autoComplete="off" />}
        </FieldRow>
        <FieldRow
          label="Window, in hours"
          hint="What a person does for so long after the first sight counts"
          error={shown.hours}
        >
          {(ids) => <input {...ids} {...field("hours")} inputMode="decimal" />}
        </FieldRow>
        <div className="flex flex-wrap gap-3 sm:col-span-2">
          <button type="submit" className="button button-primary" disabled={isBusy}>
            Start
          </button>
          <Link to="/experiments" className="button button-quiet">
            Cancel
          </Link>
        </div>
      </form>
    </div>
  );
}

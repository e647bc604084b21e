import { ArrowUpRight, GraduationCap, Undo2 } from "lucide-react";
import { api, type Model, type Version } from "../api.ts";
import { Confirm } from "../parts.tsx";
import { useDeeds } from "../undo.tsx";
import { isTraining, promotionOf, rollbackOf } from "./words.ts";

export function TrainButton({ model, onAsked }: { model: Model; onAsked(): Promise<void> }) {
  const { attempt } = useDeeds();
  const ask = async () => {
    if (await attempt(() => api.train(model.name), { text: `A training of ${model.name} was asked for` }))
      await onAsked();
  };
  return (
    <Confirm
      verb="Train"
      label={`Train ${model.name}`}
      isSmall
      title={`Train ${model.name} now?`}
      icon={<GraduationCap size={16} aria-hidden="true" />}
      disabled={model.lack !== "" || isTraining(model)}
      onYes={ask}
    >
      <p>
        A new version is made of what is known now. It goes on as a canary only where it is better than what answers
        today on rows that it was not trained on.
      </p>
    </Confirm>
  );
}

export function PromoteButton({ version, onDone }: { version: Version; onDone(): Promise<void> }) {
  const { attempt } = useDeeds();
  const what = promotionOf(version);
  if (what === undefined) return null;
  const promote = async () => {
    const text = `Version ${version.version} of ${version.name} was promoted`;
    if (await attempt(() => api.promote(version.name, version.version), { text })) await onDone();
  };
  return (
    <Confirm
      verb="Promote"
      label={`Promote version ${version.version}`}
      isSmall
      tone="primary"
      title={`Promote version ${version.version} of ${version.name}?`}
      icon={<ArrowUpRight size={16} aria-hidden="true" />}
      onYes={promote}
    >
      <p>{what}</p>
    </Confirm>
  );
}

export function RollBackButton(props: { name: string; versions: readonly Version[]; onDone(): Promise<void> }) {
  const { name, versions, onDone } = props;
  const { attempt } = useDeeds();
  const what = rollbackOf(versions);
  const goBack = async () => {
    if (await attempt(() => api.rollback(name), { text: `${name} was rolled back` })) await onDone();
  };
  return (
    <Confirm
      verb="Roll back"
      isSmall
      title={`Roll ${name} back?`}
      icon={<Undo2 size={16} aria-hidden="true" />}
      disabled={what === undefined}
      onYes={goBack}
    >
      <p>{what}</p>
    </Confirm>
  );
}

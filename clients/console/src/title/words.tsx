import type { EnrichedTitle } from "../api.ts";
import { FieldRow } from "../parts.tsx";
import { useDraft } from "./draft.ts";
import { SaveBar, useSaying } from "./save.tsx";
import { wordsIn } from "./values.ts";

const TAGS_MAX = 30;
const TAG_MAX = 60;
const SUMMARY_MAX = 2_000;

const tagsOf = (text: string): string[] => text.split(",").flatMap((tag) => (tag.trim() === "" ? [] : [tag.trim()]));

interface Props {
  title: EnrichedTitle;
  onSaved(): Promise<void>;
}

export function Tags({ title, onSaved }: Props) {
  const found = wordsIn(title);
  const tags = found?.value.tags ?? [];
  const { draft, isDirty, set, reset } = useDraft(tags.join(", "));
  const say = useSaying(title, "tags", onSaved);
  const before = { value: tags, corrected: found?.corrected ?? false };
  const next = tagsOf(draft);
  const long = next.find((tag) => tag.length > TAG_MAX);
  const problem =
    next.length > TAGS_MAX
      ? `${next.length} tags are more than ${TAGS_MAX}`
      : long === undefined
        ? undefined
        : `“${long.slice(0, 20)}…” has more than ${TAG_MAX} characters`;
  return (
    <div>
      <FieldRow label="Tags" hint="Words with commas between them" error={problem}>
        {(ids) => (
          <textarea
            {...ids}
            rows={4}
            className="field area"
            value={draft}
            onChange={(event) => set(event.target.value)}
          />
        )}
      </FieldRow>
      <SaveBar
        {...{ of: "tags", isDirty, corrected: before.corrected, hasValue: tags.length > 0, problem: undefined }}
        onSave={() => problem === undefined && void say(next, "Tags saved", before)}
        onAccept={() => void say(tags, "Tags accepted", before)}
        onReset={reset}
        onRestore={() => void say(undefined, "The model’s tags stand again", before)}
      />
    </div>
  );
}

export function Summary({ title, onSaved }: Props) {
  const found = wordsIn(title);
  const summary = found?.value.summary ?? "";
  const { draft, isDirty, set, reset } = useDraft(summary);
  const say = useSaying(title, "summary", onSaved);
  const before = { value: summary, corrected: found?.corrected ?? false };
  return (
    <div>
      <FieldRow label="Summary" hint={`${draft.length} of ${SUMMARY_MAX} characters`}>
        {(ids) => (
          <textarea
            {...ids}
            rows={4}
            maxLength={SUMMARY_MAX}
            className="field area"
            value={draft}
            onChange={(event) => set(event.target.value)}
          />
        )}
      </FieldRow>
      <SaveBar
        {...{
          of: "summary",
          isOne: true,
          isDirty,
          corrected: before.corrected,
          hasValue: summary !== "",
          problem: undefined,
        }}
        onSave={() => void say(draft, "Summary saved", before)}
        onAccept={() => void say(summary, "Summary accepted", before)}
        onReset={reset}
        onRestore={() => void say(undefined, "The model’s summary stands again", before)}
      />
    </div>
  );
}

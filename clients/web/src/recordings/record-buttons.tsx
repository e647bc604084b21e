import { Circle, CircleCheck, ListVideo } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { GuideProgramme } from "../../../../contracts/web/index.ts";
import { ApiError } from "../../../player/http.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";

type State = "asked" | "busy" | "done" | "failed" | "quota";

/** What cannot be done twice is done: somebody else of the household was faster, or another airing is recorded. */
function stateOf(error: unknown): State {
  if (!(error instanceof ApiError)) return "failed";
  if (error.reason === "recorded" || error.reason === "series_recorded") return "done";
  return error.reason === "quota" ? "quota" : "failed";
}

/** "Record" and "Record series" of a programme. */
export function RecordButtons({ of: { id, seriesId } }: { of: Pick<GuideProgramme, "id" | "seriesId"> }) {
  const { m } = useWords();
  const [programme, setProgramme] = useState<State>("asked");
  const [series, setSeries] = useState<State>("asked");
  const run = (set: (state: State) => void, work: () => Promise<unknown>) => {
    set("busy");
    work().then(
      () => set("done"),
      (error: unknown) => set(stateOf(error)),
    );
  };
  const fault = [programme, series].find((state) => state === "failed" || state === "quota");
  return (
    <>
      <RecordButton
        state={programme}
        label={m.recordings.record}
        doneLabel={m.recordings.isRecorded}
        onPress={() => run(setProgramme, () => browserApi.record({ programmeId: id }))}
      />
      {seriesId !== null && (
        <RecordButton
          state={series}
          label={m.recordings.recordSeries}
          doneLabel={m.recordings.isSeriesRecorded}
          isSeries
          onPress={() => run(setSeries, () => browserApi.recordSeries({ seriesId }))}
        />
      )}
      {fault !== undefined && (
        <p role="alert" className="w-full text-14 text-warn">
          {fault === "quota" ? m.recordings.full : m.couldNotSave}
        </p>
      )}
    </>
  );
}

interface RecordButtonProps {
  state: State;
  label: string;
  doneLabel: string;
  isSeries?: boolean;
  onPress(): void;
}

function RecordButton({ state, label, doneLabel, isSeries = false, onPress }: RecordButtonProps) {
  if (state === "done")
    return (
      <Link to="/recordings" className="button button-quiet">
        <CircleCheck size={20} aria-hidden="true" />
        {doneLabel}
      </Link>
    );
  return (
    <button type="button" className="button button-quiet" disabled={state === "busy"} onClick={onPress}>
      {isSeries ? <ListVideo size={20} aria-hidden="true" /> : <Circle size={20} aria-hidden="true" />}
      {label}
    </button>
  );
}

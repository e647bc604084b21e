import { CircleCheck, EyeOff, RotateCcw } from "lucide-react";
import { Link } from "react-router";
import { clock } from "../../../ui/time.ts";
import { api, type CatalogTitle, type EnrichedTitle } from "../api.ts";
import { percent } from "../format.ts";
import { useDeeds } from "../undo.tsx";
import { useSaying } from "./save.tsx";
import { framesIn, type Picture } from "./values.ts";

const WIDTH = 640;

interface Props {
  title: EnrichedTitle;
  catalog: CatalogTitle;
  publicUrl: string;
  onSaved(): Promise<void>;
}

/** All pictures that a title can be shown by: the encoder's, and the frames that were found to be telling. */
export function Pictures({ title, catalog, publicUrl, onSaved }: Props) {
  const choose = useChoosing(catalog, onSaved);
  const say = useSaying(title, "thumbnails", onSaved);
  const found = framesIn(title);
  const frames = found?.value ?? [];
  const before = { value: frames.map(({ key }) => key), corrected: found?.corrected ?? false };
  const now = catalog.backdrop?.key ?? "";
  const leaveOut = (key: string) =>
    void say(
      before.value.filter((one) => one !== key),
      "A frame was left out",
      before,
    );
  return (
    <section className="section" id="pictures" aria-labelledby="pictures-title">
      <h2 id="pictures-title" className="section-title">
        Pictures
      </h2>
      <p className="mt-3 max-w-[70ch] text-ink-2">
        Viewers see the chosen one on the title’s page and first in rows; where it has several, each viewer may get
        another.
        {catalog.kind === "episode" && catalog.parentId !== "" && (
          <>
            {" "}
            Those of the first episode are its series’, too, whose own is chosen{" "}
            <Link to={`/titles/${catalog.parentId}#pictures`} className="underline underline-offset-4">
              at the series
            </Link>
            .
          </>
        )}
      </p>
      {catalog.artworkCandidates.length === 0 ? (
        <p className="mt-3 text-ink-2">There are none until the title is encoded.</p>
      ) : (
        <ul className="pictures">
          {catalog.artworkCandidates.map(({ key, color }, index) => (
            <li key={key}>
              <Choice
                {...{ number: index + 1, color, isNow: key === now }}
                url={`${publicUrl}/images/${key}?w=${WIDTH}`}
                frame={frames.find((frame) => frame.key === key)}
                onChoose={() => choose(key)}
                onLeaveOut={() => leaveOut(key)}
              />
            </li>
          ))}
        </ul>
      )}
      {before.corrected && (
        <button
          type="button"
          className="button button-plain button-small mt-3"
          onClick={() => void say(undefined, "All frames that were found stand again", before)}
        >
          <RotateCcw size={16} aria-hidden="true" />
          Back to all frames that were found
        </button>
      )}
    </section>
  );
}

/** Makes another picture the title's own, with the one before as the way back. */
function useChoosing(catalog: CatalogTitle, onSaved: () => Promise<void>) {
  const { attempt } = useDeeds();
  const now = catalog.backdrop?.key ?? "";
  return (key: string) => {
    const put = (to: string) => api.choosePicture(catalog.id, to).finally(() => void onSaved());
    void attempt(() => put(key), {
      text: `Viewers see another picture of ${catalog.title}`,
      ...(now === "" ? {} : { undo: () => put(now) }),
    });
  };
}

/** Whose a picture is: its key names the title that it was found in. */
const ownerOf = (key: string): string => key.split("/")[1] ?? "";

/** All pictures that a series can be shown by: those of its first episode that can be watched, where an operator says which may be shown. */
export function SeriesPictures({ catalog, publicUrl, onSaved }: Omit<Props, "title">) {
  const choose = useChoosing(catalog, onSaved);
  const now = catalog.backdrop?.key ?? "";
  const pictures = catalog.artworkCandidates;
  const lead = ownerOf(pictures[0]?.key ?? "");
  return (
    <section className="section" id="pictures" aria-labelledby="pictures-title">
      <h2 id="pictures-title" className="section-title">
        Pictures
      </h2>
      <p className="mt-3 max-w-[70ch] text-ink-2">
        A series is shown by the pictures of its first episode that can be watched and is for no older people than the
        series; those of later ones would tell what comes.{" "}
        {lead === "" ? (
          "There is none now."
        ) : (
          <>
            Viewers see the chosen one first; each may get another. Which frames may be shown is said{" "}
            <Link to={`/titles/${lead}#pictures`} className="underline underline-offset-4">
              at that episode
            </Link>
            .
          </>
        )}
      </p>
      {pictures.length > 0 && (
        <ul className="pictures">
          {pictures.map(({ key, color }, index) => (
            <li key={key}>
              <Choice
                {...{ number: index + 1, color, isNow: key === now, frame: undefined }}
                url={`${publicUrl}/images/${key}?w=${WIDTH}`}
                onChoose={() => choose(key)}
                onLeaveOut={() => undefined}
              />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface ChoiceProps {
  number: number;
  color: string;
  url: string;
  isNow: boolean;
  /** What is known of it, where enrichment found it. */
  frame: Picture | undefined;
  onChoose(): void;
  onLeaveOut(): void;
}

function Choice({ number, color, url, isNow, frame, onChoose, onLeaveOut }: ChoiceProps) {
  const name = frame ? `frame at ${clock(frame.timeS)}` : `picture ${number}`;
  return (
    <>
      <button
        type="button"
        className="picture-choice"
        aria-pressed={isNow}
        aria-label={`${isNow ? "Shown to viewers:" : "Choose"} ${name}`}
        onClick={() => !isNow && onChoose()}
      >
        <span className="slot aspect-video w-full" style={{ backgroundColor: color }}>
          <img src={url} alt="" loading="lazy" decoding="async" />
        </span>
        <span className="picture-said">
          {isNow ? (
            <>
              <CircleCheck size={16} aria-hidden="true" /> Shown to viewers
            </>
          ) : (
            "Choose"
          )}
        </span>
      </button>
      {frame && (
        <p className="flex items-center justify-between gap-2 text-14 text-ink-2">
          <span className="tabular">
            Found at {clock(frame.timeS)}, score {percent(frame.score)}
          </span>
          {!isNow && (
            <button
              type="button"
              className="button button-plain button-small"
              aria-label={`Leave out the frame at ${clock(frame.timeS)}`}
              onClick={onLeaveOut}
            >
              <EyeOff size={16} aria-hidden="true" />
              Leave out
            </button>
          )}
        </p>
      )}
    </>
  );
}

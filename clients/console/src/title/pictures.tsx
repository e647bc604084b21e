import { CircleCheck } from "lucide-react";
import { clock } from "../../../ui/time.ts";
import { api, type CatalogTitle, type EnrichedTitle, pictureUrl } from "../api.ts";
import { percent } from "../format.ts";
import { useDeeds } from "../undo.tsx";
import { picturesIn } from "./values.ts";

const WIDTH = 640;

interface Props {
  title: EnrichedTitle;
  catalog: CatalogTitle;
  publicUrl: string;
  onSaved(): Promise<void>;
}

/** The pictures that a title can be shown by, and the frames that were found to be telling. */
export function Pictures({ title, catalog, publicUrl, onSaved }: Props) {
  const { attempt } = useDeeds();
  const frames = picturesIn(title);
  const now = catalog.backdrop?.key ?? "";
  const choose = (key: string) => {
    const say = (to: string) => api.choosePicture(catalog.id, to).finally(() => void onSaved());
    void attempt(() => say(key), {
      text: `Viewers see another picture of ${catalog.title}`,
      ...(now === "" ? {} : { undo: () => say(now) }),
    });
  };
  return (
    <section className="section" id="pictures" aria-labelledby="pictures-title">
      <h2 id="pictures-title" className="section-title">
        Pictures
      </h2>
      <p className="mt-3 max-w-[70ch] text-ink-2">
        Viewers see the chosen one on the title’s page and first in rows; where it has several, each viewer may get
        another.
      </p>
      {catalog.artworkCandidates.length === 0 ? (
        <p className="mt-3 text-ink-2">There are none until the title is encoded.</p>
      ) : (
        <ul className="pictures">
          {catalog.artworkCandidates.map(({ key, color }, index) => (
            <li key={key}>
              <button
                type="button"
                className="picture-choice"
                aria-pressed={key === now}
                aria-label={`Picture ${index + 1}${key === now ? ", shown to viewers" : ""}`}
                onClick={() => key !== now && choose(key)}
              >
                <span className="slot aspect-video w-full" style={{ backgroundColor: color }}>
                  <img src={`${publicUrl}/images/${key}?w=${WIDTH}`} alt="" loading="lazy" decoding="async" />
                </span>
                <span className="picture-said">
                  {key === now ? (
                    <>
                      <CircleCheck size={16} aria-hidden="true" /> Shown to viewers
                    </>
                  ) : (
                    "Choose"
                  )}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {frames.length > 0 && (
        <>
          <h3 className="mt-8 text-16 font-semibold">Frames that enrichment found, the best first</h3>
          <ul className="pictures pictures-small">
            {frames.map(({ timeS, score, faces }) => (
              <li key={timeS}>
                <span className="slot aspect-video w-full bg-lift-2">
                  <img
                    src={pictureUrl(title.contentId, timeS)}
                    alt={`Frame at ${clock(timeS)}`}
                    loading="lazy"
                    decoding="async"
                  />
                </span>
                <p className="tabular mt-2 text-14 text-ink-2">
                  {clock(timeS)} · score {percent(score)}
                  {faces !== null && faces > 0 && ` · ${faces} ${faces === 1 ? "face" : "faces"}`}
                </p>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

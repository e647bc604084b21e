import { Link } from "react-router";
import { api, type EnrichedTitle } from "../api.ts";
import { percent } from "../format.ts";
import { useLive } from "../live.ts";
import { nameOf, useTitles } from "../names.ts";
import { Loaded, RowSkeletons } from "../parts.tsx";
import { stepOf } from "./values.ts";

const WIDTH = 640;
/** All others are compared anew each time, so that nobody asks every few seconds. */
const ONCE = 0;

/** Which other titles look like this one. Until somebody has looked, the step says why. */
export function LooksLike({ title, publicUrl }: { title: EnrichedTitle; publicUrl: string }) {
  const step = stepOf(title, "embedding");
  if (step === undefined || step.valueJson === "") return null;
  return (
    <section className="section" id="looks" aria-labelledby="looks-title">
      <h2 id="looks-title" className="section-title">
        Looks like
      </h2>
      <Neighbours key={step.atMs} contentId={title.contentId} publicUrl={publicUrl} />
    </section>
  );
}

function Neighbours({ contentId, publicUrl }: { contentId: string; publicUrl: string }) {
  const found = useLive(`looks/${contentId}`, (signal) => api.similar(contentId, signal), ONCE);
  const titles = useTitles((found.data?.titles ?? []).map((one) => one.contentId));
  return (
    <Loaded of={found} skeleton={<RowSkeletons count={1} className="mt-4 h-40" />}>
      {({ titles: alike, compared, partial, tooFew }) => (
        <>
          <p className="mt-3 max-w-[70ch] text-ink-2">
            {tooFew
              ? "A look is told from the middle of a catalogue: with fewer than five titles nothing is said."
              : alike.length === 0
                ? `None of ${compared} other ${compared === 1 ? "title" : "titles"} looks alike.`
                : "By what their frames show. Viewers are not told, and nothing is recommended by it."}
            {partial && ` There may be more titles than the ${compared} that were compared.`}
          </p>
          {alike.length > 0 && (
            <ul className="pictures">
              {alike.map(({ contentId: id, similarity }) => {
                const backdrop = titles.get(id)?.backdrop;
                return (
                  <li key={id}>
                    <Link to={`/titles/${encodeURIComponent(id)}`} className="look">
                      <span className="slot aspect-video w-full" style={{ backgroundColor: backdrop?.color }}>
                        {backdrop && (
                          <img
                            src={`${publicUrl}/images/${backdrop.key}?w=${WIDTH}`}
                            alt=""
                            loading="lazy"
                            decoding="async"
                          />
                        )}
                      </span>
                      <span className="look-said">
                        <span className="look-name">{nameOf(titles, id)}</span>{" "}
                        <span className="tabular text-14 text-ink-2">{percent(similarity)} alike</span>
                      </span>
                    </Link>
                  </li>
                );
              })}
            </ul>
          )}
        </>
      )}
    </Loaded>
  );
}

import { ArrowDown, ArrowUp } from "lucide-react";
import { useId } from "react";
import type { HomePlace, SearchPlace } from "../../../contracts/web/recommendations/index.ts";
import { useWords } from "../../ui/words.tsx";

type Where = "home" | "search";
type Place = HomePlace | SearchPlace;
interface PlaceProps {
  readonly where: Where;
  readonly place: Place;
}

/** What put a title where it stands in a list, in plain words: what ordered the list, what of the title moved it, and which model said so. */
export function PlaceSection({ where, heading, says, place }: PlaceProps & { heading: string; says: string }) {
  const { m } = useWords();
  const id = useId();
  return (
    <section aria-labelledby={id} className="mt-12">
      <h2 id={id} className="text-20 font-semibold">
        <bdi>{heading}</bdi>
      </h2>
      <p className="mt-2 text-16 text-ink-2">{says}</p>
      {place.by === "model" && <Moved where={where} place={place} />}
      {place.by === "model" && where === "home" && <p className="mt-4 text-16 text-ink-2">{m.why.afterwards}</p>}
      <ModelLine model={place.model} />
    </section>
  );
}

function Moved({ where, place: { place, titles, influences } }: PlaceProps) {
  const { m } = useWords();
  if (place === 0) return <p className="mt-4 text-16">{m.why.notNow}</p>;
  return (
    <>
      <p className="mt-4 text-16">
        {m.why.place(place, titles)} {influences.length === 0 ? m.why.movedByNothing : m.why.movedBy}
      </p>
      <ul className="mt-4 flex flex-col gap-3">
        {influences.map(({ what, helps, places }) => (
          <li key={what} className="flex items-start gap-3 text-16">
            {helps ? (
              <ArrowUp size={20} aria-hidden="true" className="mt-0.5 flex-none text-accent-line" />
            ) : (
              <ArrowDown size={20} aria-hidden="true" className="mt-0.5 flex-none text-ink-3" />
            )}
            <span className="flex flex-1 flex-wrap items-baseline justify-between gap-x-4">
              <span>{what === "suits" ? m.why.suits[where] : m.why.influences[what]}</span>
              <span className="tabular text-14 text-ink-2">{m.why.moved(places, helps)}</span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function ModelLine({ model }: Pick<Place, "model">) {
  const { m, locale } = useWords();
  if (model === null) return null;
  // A day of the product's own calendar, so that the server and the browser say the same.
  const since = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(new Date(model.since));
  return (
    <p className="tabular mt-4 text-14 text-ink-3">
      {model.share < 100 ? m.why.onTrial(model.version, since, model.share) : m.why.inUse(model.version, since)}
    </p>
  );
}

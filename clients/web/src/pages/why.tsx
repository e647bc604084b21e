import { Link, useLoaderData } from "react-router";
import type { Why } from "../../../../contracts/web/recommendations/index.ts";
import { useWords } from "../../../ui/words.tsx";
import type { LoaderData } from "../loaders.ts";
import { PlaceSection } from "../place.tsx";

export function Component() {
  const { why, asked } = useLoaderData<LoaderData<"why">>();
  const { m } = useWords();
  const weighed = why.reasons.filter(({ share }) => share > 0);
  const others = why.reasons.filter(({ share }) => share === 0);
  return (
    <div className="gutter max-w-3xl pt-24 pb-16 sm:pt-32">
      <h1 className="display text-40 sm:text-64">{m.why.title}</h1>
      <p className="mt-4 text-20">
        <Link to={`/title/${why.id}`} className="underline underline-offset-4">
          <bdi>{why.title}</bdi>
        </Link>
      </p>
      <p className="mt-2 text-16 text-ink-2">{why.personalised ? m.why.personal : m.why.impersonal}</p>
      <ol className="mt-8 flex flex-col gap-6">
        {weighed.map((reason) => (
          <li key={`${reason.kind}/${reason.about?.id ?? ""}`}>
            <p className="flex items-baseline justify-between gap-4 text-16">
              <Sentence reason={reason} />
              <span className="tabular text-14 text-ink-2">{Math.round(reason.share * 100)}%</span>
            </p>
            <div className="mt-2 h-1.5 rounded-full bg-lift-2" aria-hidden="true">
              <div className="h-full rounded-full bg-accent" style={{ width: `${Math.round(reason.share * 100)}%` }} />
            </div>
          </li>
        ))}
      </ol>
      {others.length > 0 && (
        <ul className="mt-8 flex flex-col gap-2 text-16 text-ink-2">
          {others.map((reason) => (
            <li key={`${reason.kind}/${reason.name}`}>
              <Sentence reason={reason} />
            </li>
          ))}
        </ul>
      )}
      <PlaceSection
        {...{ where: "home", heading: m.why.onHome, place: why.home }}
        says={m.why.order.home[why.home.by](why.home.titles)}
      />
      {why.search !== null && (
        <PlaceSection
          {...{ where: "search", heading: m.why.inSearch(asked.q), place: why.search }}
          says={m.why.order.search[why.search.by](why.search.titles)}
        />
      )}
      <p className="mt-10 text-14 text-ink-2">
        {m.why.change}{" "}
        <Link to="/profiles?manage=1" className="underline underline-offset-4 hover:text-ink">
          {m.manageProfiles}
        </Link>
      </p>
    </div>
  );
}

function Sentence({ reason }: { reason: Why["reasons"][number] }) {
  const { m } = useWords();
  const text = {
    watched: m.becauseYouWatched(reason.about?.title ?? ""),
    shared: m.why.shared(reason.name),
    popular: m.why.popular,
    seen_often: m.why.seenOften,
    added: m.why.added,
  }[reason.kind];
  return <bdi>{text}</bdi>;
}

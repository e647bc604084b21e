import { Info, Play } from "lucide-react";
import { useState } from "react";
import { Link, useLoaderData } from "react-router";
import type { Card, Hero as HeroData, Home as HomeData } from "../../../../contracts/web/index.ts";
import type { Click } from "../../../../contracts/web/recommendations/index.ts";
import { AgeBadge, ProgressLine, StatePage } from "../../../ui/feedback.tsx";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import { HeroPicture } from "../hero-picture.tsx";
import { useProcessing } from "../hooks.ts";
import { Landing } from "../landing.tsx";
import type { LoaderData } from "../loaders.ts";
import { Rail } from "../rail.tsx";

export function Component() {
  const { home } = useLoaderData<LoaderData<"home">>();
  return home === null ? <Landing /> : <MemberHome home={home} />;
}

function processingIds(home: HomeData): string[] {
  const cards = home.rails.flatMap((rail) => rail.cards);
  return [...new Set(cards.filter(({ state }) => state === "processing").map(({ id }) => id))].slice(0, 20);
}

const NOTHING: ReadonlySet<string> = new Set();
const isRecommended = (kind: HomeData["rails"][number]["kind"]): kind is Click["rail"] =>
  kind === "for_you" || kind === "because" || kind === "popular";

/** Nobody waits for it, and nobody misses it. */
const tellOf = (rail: Click["rail"]) => (card: Card, position: number) =>
  void browserApi.clickRecommendation({ contentId: card.id, rail, position }).catch(() => undefined);

function MemberHome({ home }: { home: HomeData }) {
  const { m } = useWords();
  const processing = useProcessing(processingIds(home));
  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const removeFromContinue = (card: Card) => ({
    label: `${m.removeFromContinue}: ${card.title}`,
    run: () => {
      setRemoved((before) => new Set(before).add(card.id));
      browserApi.removeFromContinue(card.id).catch(() => {
        setRemoved((before) => new Set([...before].filter((id) => id !== card.id)));
      });
    },
  });
  const [unwanted, setUnwanted] = useState<ReadonlySet<string>>(new Set());
  const doNotSuggest = (card: Card) => ({
    label: `${m.opinions.notInterested}: ${card.title}`,
    run: () => {
      setUnwanted((before) => new Set(before).add(card.id));
      browserApi.setOpinion(card.id, "not_interested").catch(() => {
        setUnwanted((before) => new Set([...before].filter((id) => id !== card.id)));
      });
    },
  });
  const rails = home.rails
    .map((rail) => {
      const gone = rail.kind === "continue" ? removed : isRecommended(rail.kind) ? unwanted : NOTHING;
      return { ...rail, cards: rail.cards.filter(({ id }) => !gone.has(id)) };
    })
    .filter((rail) => rail.cards.length > 0);
  if (home.hero === null && rails.length === 0) return <StatePage title={m.homeEmpty} text={m.homeEmptyText} />;
  return (
    <>
      {home.hero !== null && <Hero hero={home.hero} />}
      {home.hero === null && <h1 className="sr-only">{m.home}</h1>}
      <div className={home.hero === null ? "pt-20" : "relative z-10 sm:-mt-20"}>
        {rails.map((rail, index) => (
          <Rail
            key={rail.id}
            rail={rail}
            processing={processing}
            priority={index === 0}
            onRemove={
              rail.kind === "continue" ? removeFromContinue : isRecommended(rail.kind) ? doNotSuggest : undefined
            }
            onOpen={isRecommended(rail.kind) ? tellOf(rail.kind) : undefined}
          />
        ))}
      </div>
    </>
  );
}

function Hero({ hero }: { hero: HeroData }) {
  const { m } = useWords();
  const { card } = hero;
  return (
    <section className="relative h-[68svh] min-h-[30rem] overflow-hidden sm:h-[86svh]">
      <HeroPicture key={card.id} image={hero.backdrop ?? card.image} previewUrl={hero.previewUrl} className="inset-0" />
      <div className="gutter relative flex h-full max-w-5xl flex-col items-start justify-end gap-4 pb-8 sm:pb-36">
        <h1 className="display on-picture text-40 sm:text-64 2xl:text-[5.5rem]">
          <bdi>{card.title}</bdi>
        </h1>
        <p className="tabular on-picture flex flex-wrap items-center gap-x-3 text-14 text-ink sm:text-16">
          <AgeBadge age={card.ageRating} />
          <bdi>{card.facts}</bdi>
        </p>
        <p className="on-picture line-clamp-3 max-w-xl text-16 text-ink-2 sm:text-20">
          <bdi>{hero.tagline}</bdi>
        </p>
        <div className="mt-2 flex flex-wrap items-center gap-3">
          {card.playId !== null && card.state === "playable" && (
            <Link to={`/watch/${card.playId}`} className="button button-primary">
              <Play size={20} fill="currentColor" aria-hidden="true" />
              {card.progress === null ? m.play : m.resume}
            </Link>
          )}
          <Link to={`/title/${card.id}`} className="button button-quiet">
            <Info size={20} aria-hidden="true" />
            {m.moreAbout}
          </Link>
        </div>
        {card.progress !== null && (
          <ProgressLine
            value={card.progress}
            label={m.progressWatched(Math.round(card.progress * 100))}
            className="w-64 max-w-full"
          />
        )}
      </div>
    </section>
  );
}

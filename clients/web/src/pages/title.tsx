import { Check, Play, Plus, RotateCcw } from "lucide-react";
import { Link, useLoaderData, useSearchParams } from "react-router";
import type { Title } from "../../../../contracts/web/index.ts";
import { AgeBadge, ProgressLine } from "../../../ui/feedback.tsx";
import { Picture } from "../../../ui/picture.tsx";
import { durationInWords, languageInWords, timeLeft } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import { HeroPicture } from "../hero-picture.tsx";
import { useMyList, useProcessing, useViewer } from "../hooks.ts";
import type { LoaderData } from "../loaders.ts";
import { OpinionButtons } from "../opinion.tsx";
import { TileGrid } from "../tile.tsx";

export function Component() {
  const { title } = useLoaderData<LoaderData<"title">>();
  const { m } = useWords();
  return (
    <>
      <div className="relative">
        <HeroPicture
          key={title.id}
          image={title.backdrop ?? title.poster}
          previewUrl={title.previewUrl}
          className="inset-x-0 top-0 h-[62svh] sm:h-[88svh]"
        />
        <div className="gutter relative flex flex-col items-start gap-4 pt-[34svh] sm:pt-[40svh]">
          {title.seriesId !== null && (
            <Link
              to={`/title/${title.seriesId}`}
              className="on-picture inline-flex min-h-11 items-center text-16 text-ink-2 underline underline-offset-4 hover:text-ink"
            >
              {m.partOf(title.seriesTitle ?? "")}
            </Link>
          )}
          <h1 className="display on-picture max-w-5xl text-40 sm:text-64 2xl:text-[5.5rem]">
            <bdi>{title.title}</bdi>
          </h1>
          <p className="tabular on-picture flex flex-wrap items-center gap-x-3 gap-y-1 text-14 sm:text-16">
            <AgeBadge age={title.ageRating} />
            <bdi>{title.facts}</bdi>
          </p>
          <Actions title={title} />
          <p className="max-w-2xl text-16 text-ink sm:text-20">
            <bdi>{title.synopsis}</bdi>
          </p>
        </div>
      </div>
      <Seasons title={title} />
      <Details title={title} />
      {title.more.length > 0 && (
        <section className="gutter relative mt-14">
          <h2 className="display mb-5 text-20">{m.moreLikeThis}</h2>
          <TileGrid cards={title.more} />
        </section>
      )}
    </>
  );
}

function Actions({ title }: { title: Title }) {
  const { m } = useWords();
  const viewer = useViewer();
  const list = useMyList(title.id, title.inMyList);
  const processing = useProcessing(title.state === "processing" ? [title.id] : []);
  const isStarted = title.resumePositionS > 0 && title.progress !== null;
  const preparing =
    title.state === "processing" ? (processing.get(title.id)?.progress ?? title.processingProgress ?? 0) : null;
  const isMember = viewer?.user != null;
  return (
    <div className="flex w-full flex-col items-start gap-4">
      {title.locked !== null && <Locked locked={title.locked} />}
      {preparing !== null && title.locked === null && (
        <div className="flex w-full max-w-md flex-col gap-2" role="status">
          <p className="tabular text-16 font-semibold">
            {m.processing} · {Math.round(preparing * 100)}%
          </p>
          <ProgressLine value={preparing} label={m.processingPercent(Math.round(preparing * 100))} />
          <p className="text-14 text-ink-2">{m.processingText}</p>
        </div>
      )}
      {title.state === "unavailable" && title.locked === null && (
        <p className="text-16 font-semibold">{m.unavailable}</p>
      )}
      <div className="flex flex-wrap items-center gap-3">
        {title.playId !== null && title.locked === null && title.state === "playable" && (
          <Link to={`/watch/${title.playId}`} className="button button-primary">
            <Play size={20} fill="currentColor" aria-hidden="true" />
            {isStarted ? m.resume : m.play}
          </Link>
        )}
        {isMember && (
          // A plain form, so that a press counts also before the script is there, or without it.
          <form
            method="post"
            action="/my-list"
            onSubmit={(event) => {
              event.preventDefault();
              list.toggle();
            }}
          >
            <input type="hidden" name="contentId" value={title.id} />
            <input type="hidden" name="change" value={list.isIn ? "remove" : "add"} />
            <input type="hidden" name="returnTo" value={`/title/${title.id}`} />
            <button
              type="submit"
              aria-pressed={list.isIn}
              aria-label={list.isIn ? m.removeFromMyList : m.addToMyList}
              className="button button-quiet button-round"
            >
              {list.isIn ? <Check size={22} aria-hidden="true" /> : <Plus size={22} aria-hidden="true" />}
            </button>
          </form>
        )}
        {isMember && <OpinionButtons key={title.id} contentId={title.seriesId ?? title.id} initial={title.opinion} />}
        {isStarted && title.playId !== null && title.locked === null && (
          <Link to={`/watch/${title.playId}?t=0`} aria-label={m.fromStart} className="button button-quiet button-round">
            <RotateCcw size={20} aria-hidden="true" />
          </Link>
        )}
      </div>
      {list.hasFailed && (
        <p role="alert" className="text-14 text-warn">
          {m.couldNotSave}
        </p>
      )}
      {isStarted && (
        <div className="flex w-72 max-w-full items-center gap-3">
          <ProgressLine
            value={title.progress ?? 0}
            label={m.progressWatched(Math.round((title.progress ?? 0) * 100))}
            className="flex-1"
          />
          <span className="tabular text-14 text-ink-2">{timeLeft(title.resumePositionS, title.durationS, m)}</span>
        </div>
      )}
    </div>
  );
}

function Locked({ locked }: { locked: NonNullable<Title["locked"]> }) {
  const { m } = useWords();
  const target = { tier: "/account", age: "/profiles", market: "/", window: "/" }[locked.reason];
  return (
    <div className="flex max-w-xl flex-col items-start gap-3 rounded-xl bg-lift-2/90 p-5">
      <p className="text-16">
        <bdi>{locked.message}</bdi>
      </p>
      <Link to={target} className="button button-primary button-small">
        {m.locked[locked.reason]}
      </Link>
    </div>
  );
}

function Seasons({ title }: { title: Title }) {
  const { m } = useWords();
  const [query] = useSearchParams();
  const wanted = Number(query.get("season"));
  const season = title.seasons.find(({ number }) => number === wanted) ?? title.seasons[0];
  if (season === undefined) return null;
  return (
    <section className="gutter relative mt-12">
      <h2 className="display text-20">{m.episodes}</h2>
      {title.seasons.length > 1 && (
        <nav aria-label={m.seasons} className="mt-3 flex flex-wrap gap-2">
          {title.seasons.map(({ number, title: name }) => (
            <Link
              key={number}
              to={`?season=${number}`}
              preventScrollReset
              aria-current={number === season.number ? "true" : undefined}
              className={`button button-small ${number === season.number ? "button-primary" : "button-quiet"}`}
            >
              {name}
            </Link>
          ))}
        </nav>
      )}
      <ol className="mt-4 flex max-w-5xl flex-col">
        {season.episodes.map((episode) => (
          <li key={episode.id} className="group relative flex gap-4 rounded-xl py-3 sm:gap-6">
            <Picture
              image={episode.image}
              sizes="(min-width: 640px) 224px, 36vw"
              isDecoration
              className="aspect-video w-[36vw] flex-none self-start rounded-tile sm:w-56"
            />
            <div className="min-w-0 flex-1">
              <h3 className="text-16 font-semibold">
                {episode.state === "playable" ? (
                  <Link
                    to={`/watch/${episode.id}`}
                    className="group-hover:text-accent-line after:absolute after:inset-0"
                  >
                    <span className="tabular text-ink-2">{episode.number}.</span> <bdi>{episode.title}</bdi>
                  </Link>
                ) : (
                  <>
                    <span className="tabular">{episode.number}.</span> <bdi>{episode.title}</bdi>
                  </>
                )}
              </h3>
              <p className="tabular mt-0.5 text-14 text-ink-2">
                {episode.state === "processing" ? m.processing : durationInWords(episode.durationS, m)}
              </p>
              <p className="mt-1.5 line-clamp-2 max-w-2xl text-14 text-ink-2">
                <bdi>{episode.synopsis}</bdi>
              </p>
              {episode.progress !== null && (
                <ProgressLine
                  value={episode.progress}
                  label={m.progressWatched(Math.round(episode.progress * 100))}
                  className="mt-2 max-w-48"
                />
              )}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Details({ title }: { title: Title }) {
  const { m, locale } = useWords();
  const languages = (tags: readonly string[]) => tags.map((tag) => languageInWords(tag, locale)).join(", ");
  const facts = [
    [m.cast, title.cast.map(({ name, role }) => (role === "" ? name : `${name} (${role})`)).join(", ")],
    [m.genres, title.genres.join(", ")],
    [m.audio, languages(title.audioLanguages)],
    [m.subtitles, languages(title.subtitleLanguages)],
  ].filter(([, text]) => text !== "");
  if (facts.length === 0) return null;
  return (
    <section className="gutter relative mt-12">
      <h2 className="sr-only">{m.details}</h2>
      <dl className="grid max-w-5xl gap-x-12 gap-y-4 sm:grid-cols-2">
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt className="text-14 text-ink-3">{name}</dt>
            <dd className="mt-0.5 text-16">
              <bdi>{text}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

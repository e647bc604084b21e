import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Auth } from "#contracts/auth";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import { type Config, type Context, Problem, systemContext } from "#kernel";
import type { Host } from "#kernel/host";
import { DEMO_ACCOUNTS } from "./compose.ts";
import { makeChannels } from "./demo/channels.ts";
import type { DemoFilm, Reel } from "./demo/film.ts";
import { DEMO_FILMS } from "./demo/films.ts";
import { keepGuide } from "./demo/guide.ts";
import { type MadeReel, makeFilm } from "./demo/make.ts";

/**
 * The demo: two accounts, a guide and eight films that the product makes itself, encoded by the real pipeline. The films come one by one
 * while people watch; what an earlier start made is there already.
 */
export interface DemoOptions extends DrawingOptions {
  readonly host: Host;
  readonly say: (line: string) => void;
  /** What `beginFirstFilm` answered. */
  readonly firstFilm: Promise<void>;
}

export interface DrawingOptions {
  readonly config: Config;
  /** Where films wait until they are taken in. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const POLL_MS = 500;
const PLANS: Readonly<Record<string, { tier: string; name: string; kids: boolean }>> = {
  "alex@demo.test": { tier: "premium", name: "Alex", kids: true },
  "sam@demo.test": { tier: "basic", name: "Sam", kids: false },
};

/**
 * Draws the first film while the product starts, for whoever waits for it on a first start. Settles when it is drawn or will not be;
 * why not is said when the demo wants it and draws it again.
 */
export async function beginFirstFilm(options: DrawingOptions): Promise<void> {
  const [first] = DEMO_FILMS;
  // Where objects are, an earlier start made the film, or will go on with it.
  if (!first || existsSync(join(options.config.MARQUEE_DATA, "objects"))) return;
  await drawFilm(first, options).catch(() => {});
}

/** The first film gets every core, since somebody waits for it; the others get one. All step back before the product itself. */
const drawFilm = (film: DemoFilm, { folder, signal, config }: DrawingOptions): Promise<MadeReel[]> =>
  makeFilm(film, folder, {
    ...{ signal, niceness: 10, parallel: film === DEMO_FILMS[0] ? availableParallelism() : 1 },
    ...(config.FFMPEG_PATH ? { ffmpegPath: config.FFMPEG_PATH } : {}),
  });

export async function startDemo(options: DemoOptions): Promise<{ stop(): Promise<void> }> {
  for (const account of DEMO_ACCOUNTS) await makeAccount(options, account);
  await makeChannels(options.host, contextOf(options));
  const films = makeFilms(options).catch((error: unknown) => {
    if (!options.signal.aborted)
      options.say(`the demo films could not all be made: ${error instanceof Error ? error.message : String(error)}`);
  });
  const guide = keepGuide(options.host, () => contextOf(options), options.signal).catch((error: unknown) => {
    if (!options.signal.aborted)
      options.say(`the demo's guide could not be made: ${error instanceof Error ? error.message : String(error)}`);
  });
  return {
    async stop() {
      await Promise.all([films, guide]);
    },
  };
}

function contextOf({ config, signal }: DemoOptions): Context {
  return systemContext(config.MARQUEE_TENANT, "demo", { signal, deadlineMs: 60_000 });
}

async function makeAccount(
  options: DemoOptions,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  const { host } = options;
  const context = contextOf(options);
  const plan = PLANS[email];
  if (!plan) return;
  const users = host.client(User, "demo");
  const known = await users.findByEmail({ email }, context).catch(notFound);
  if (known) return;
  const { user } = await users.create({ email, name: plan.name, language: "en" }, context);
  const userId = user?.id ?? "";
  await host.client(Auth, "demo").setPassword({ userId, password }, context);
  await host.client(Subscription, "demo").change({ userId, tier: plan.tier }, context);
  const profiles = host.client(Profile, "demo");
  // The first profile is made when the account's event arrives.
  for (let tries = 0; tries < 40; tries++) {
    if ((await profiles.list({ userId }, context)).profiles.length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (plan.kids)
    await profiles.create({ userId, name: "Kids", isKids: true, avatarShape: 4, avatarColor: "#3f6b6e" }, context);
}

function notFound(error: unknown): undefined {
  if (error instanceof Problem && error.code === "not_found") return undefined;
  throw error;
}

async function makeFilms(options: DemoOptions): Promise<void> {
  const { host, say, signal, folder } = options;
  const ingest = host.client(Ingest, "demo");
  for (const [i, film] of DEMO_FILMS.entries()) {
    signal.throwIfAborted();
    const missing: Reel[] = [];
    for (const reel of film.reels) {
      const known = await ingest.get({ contentId: reel.id }, contextOf(options)).catch(notFound);
      if (!known || known.ingest?.state === "failed") missing.push(reel);
    }
    if (missing.length === 0) continue;
    say(`making “${film.title}” (${i + 1} of ${DEMO_FILMS.length})`);
    if (film.kind === "series") await addSeries(options, film);
    await options.firstFilm;
    const made = await drawFilm(film, options);
    for (const reel of missing) {
      const files = made.find(({ id }) => id === reel.id);
      if (!files) continue;
      await ingest.import(
        {
          ...{
            path: files.video,
            preset: "quick",
            contentId: reel.id,
            publish: true,
            allowDuplicate: true,
            title: reel.episode?.title ?? film.title,
          },
          subtitles: files.subtitles.map(({ language, file }) => ({ path: file, language })),
          metadataJson: JSON.stringify(metadataOf(film, reel)),
        },
        contextOf(options),
      );
      await followUntilPlayable(options, reel);
      await rm(files.video, { force: true });
    }
  }
  await rm(join(folder), { recursive: true, force: true });
}

async function addSeries(options: DemoOptions, film: DemoFilm): Promise<void> {
  const catalog = options.host.client(Catalog, "demo");
  const context = contextOf(options);
  if (await catalog.get({ id: film.id }, context).catch(notFound)) return;
  const { title, synopsis, tagline, year, ageRating, genres } = film;
  await catalog.add(
    {
      title: {
        id: film.id,
        kind: "series",
        title,
        synopsis,
        tagline,
        year,
        ageRating,
        genres: [...genres],
        credits: creditsOf(film),
        publication: "published",
      },
    },
    context,
  );
}

const creditsOf = (film: DemoFilm): { name: string; role: string }[] =>
  film.credits.map(({ name, role, character }) => ({ name, role: character ? `as ${character}` : role }));

function metadataOf(film: DemoFilm, reel: Reel): Record<string, unknown> {
  const { tagline, year, ageRating, genres } = film;
  const common = { tagline, year, ageRating, genres, credits: creditsOf(film) };
  if (!reel.episode) return { ...common, kind: "film", synopsis: film.synopsis };
  const { season, number, synopsis } = reel.episode;
  return { ...common, kind: "episode", parentId: film.id, seasonNumber: season, episodeNumber: number, synopsis };
}

/** Says how a film gets on, until it plays. The next one is made after that, so that the first one is not slowed down. */
async function followUntilPlayable(options: DemoOptions, reel: Reel): Promise<void> {
  const { host, say, signal } = options;
  const encodings = host.client(Encoding, "demo");
  const ingests = host.client(Ingest, "demo");
  let said = 0;
  for (;;) {
    signal.throwIfAborted();
    const { encodings: found } = await encodings.getMany({ contentIds: [reel.id] }, contextOf(options));
    const encoding = found[0];
    const { ingest } = await ingests.get({ contentId: reel.id }, contextOf(options));
    const failure = encoding?.state === "failed" ? encoding.failure : ingest?.state === "failed" ? ingest.failure : "";
    if (failure !== "") return say(`“${reel.card}” failed: ${failure}`);
    if (encoding && encoding.packageRevision > 0) return say(`“${reel.card}” is ready to watch`);
    const percent = Math.floor((encoding?.progressPlayable ?? 0) * 4) * 25;
    if (percent > said) {
      said = percent;
      say(`“${reel.card}” ${percent} %`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Context } from "#kernel";
import { problem, toProblem } from "#kernel";
import { writeMpd } from "#media/dash";
import {
  type DrmByKid,
  drmOf,
  writeIFramePlaylist,
  writeImagePlaylist,
  writeMediaPlaylist,
  writeMultivariantPlaylist,
  writeSubtitlesPlaylist,
} from "#media/hls";
import { packageFolder, type Presentation } from "#media/presentation";
import { type AdPlan, type PlanAd, planKey } from "#media/breaks";
import { MARKS } from "#contracts/origin/edges";
import { type Places, splice, type Spliced, writeSpliced } from "./splice.ts";
import { DASH_TYPE, HLS_TYPE, type PackagePath, steeredNetworks, steeringUrl } from "./domain.ts";
import type { OriginPlatform } from "./service.ts";

export type ManifestPath = Exclude<PackagePath, { readonly kind: "object" }>;

export interface Rendered {
  readonly body: Buffer;
  readonly etag: string;
  readonly contentType: string;
}

export interface Manifests {
  /** The manifest of a path; `askedBy` names the network that a form with content steering is for. `not_found` where there is none. */
  render(path: ManifestPath, askedBy: string | null, context: Context): Promise<Rendered>;
  forget(contentId: string): void;
}

export interface Package {
  readonly presentation: Presentation;
  readonly drm: DrmByKid;
  readonly sizeBytes: number;
}

const RENDERED_BYTES_MAX = 16 * 1024 * 1024;
/** Counted by their JSON; in memory an index takes some times as much. */
const PACKAGES_BYTES_MAX = 8 * 1024 * 1024;
const INDEXES_MAX = 1_000;
/** How many indexes back a track is looked for that newer ones have no more. */
const OLDER_INDEXES_MAX = 8;
const INDEX = /\/index-(\d{1,6})\.json$/;

type Ports = Pick<OriginPlatform, "objects" | "call" | "addresses">;

/** Manifests are written when they are asked for, from a package's index and its keys, and kept for a while. */
export function openManifests({ objects, call, addresses }: Ports): Manifests {
  const packages = new LRUCache<string, Package, Context>({
    maxSize: PACKAGES_BYTES_MAX,
    sizeCalculation: ({ sizeBytes }) => sizeBytes,
    fetchMethod: (key, _stale, { context }) => load(key, context),
  });
  const rendered = new LRUCache<string, Rendered>({
    maxSize: RENDERED_BYTES_MAX,
    sizeCalculation: ({ body }) => body.length + 256,
  });

  async function load(key: string, context: Context): Promise<Package> {
    const json = Buffer.from(await objects.get(key));
    const presentation = JSON.parse(json.toString("utf8")) as Presentation;
    const { contentId, revision, keys } = presentation;
    if (keys.length === 0) return { presentation, drm: new Map(), sizeBytes: json.length };
    const [signals, licenses] = await Promise.all([
      call.keys.signalling({ contentId, packageRevision: revision }, context),
      call.license.locate({ sessionId: MARKS.session, token: MARKS.token }, context),
    ]);
    return { presentation, drm: drmOf(signals, licenses), sizeBytes: json.length };
  }

  async function packageOf(path: ManifestPath, context: Context): Promise<Package> {
    const folder = packageFolder(path.contentId, path.revision);
    if ("indexVersion" in path) return readPackage(path.contentId, folder, path.indexVersion, context);
    const version = await newestIndex(folder);
    const newest = await readPackage(path.contentId, folder, version, context);
    // Subtitles may be replaced: whoever began with the old ones goes on with them.
    for (let at = version, title = newest; at > Math.max(0, version - OLDER_INDEXES_MAX); at -= 1) {
      if (hasTrack(title.presentation, path.profile)) return title;
      const older = await readPackage(path.contentId, folder, at - 1, context).catch(notFoundIsNothing);
      if (older) title = older;
    }
    return newest;
  }

  async function readPackage(contentId: string, folder: string, version: number, context: Context): Promise<Package> {
    const found = await packages.fetch(`${folder}/index-${version}.json`, { context });
    if (!found) throw problem.notFound(`there is no index ${version} of '${contentId}'`);
    return found;
  }

  /** Tracks stay as they are when others join them, so that the newest index describes a track of any that is still there. */
  async function newestIndex(folder: string): Promise<number> {
    const infos = await objects.list(`${folder}/index-`, { keysMax: INDEXES_MAX });
    const versions = infos.flatMap(({ key }) => INDEX.exec(key)?.[1] ?? []).map(Number);
    if (versions.length === 0) throw problem.notFound(`there is no package in '${folder}'`);
    return Math.max(...versions);
  }

  /** The pieces of a title with a plan's ads between them. */
  async function spliceOf(path: ManifestPath, title: Package, context: Context): Promise<Spliced> {
    const json = await objects.get(planKey(packageFolder(path.contentId, path.revision), path.planId));
    const plan = JSON.parse(Buffer.from(json).toString("utf8")) as AdPlan;
    const ads = new Map<string, Package>();
    for (const ad of plan.breaks.flatMap((each) => each.ads)) {
      // An ad that was removed meanwhile is left out: the title plays.
      const found = await packages.fetch(indexOf(ad), { context }).catch(notFoundIsNothing);
      if (found) ads.set(ad.contentId, found);
    }
    return splice(title, plan, ads);
  }

  function write(path: ManifestPath, { presentation, drm }: Package, askedBy: string | null): string | null {
    if (path.kind === "media") return writePlaylist(presentation, drm, path.profile);
    if (path.kind === "iframes") {
      const track = presentation.video.find(({ profile }) => profile === path.profile);
      return track ? writeIFramePlaylist(presentation, track, { drm }) : null;
    }
    const places = placesOf(path, askedBy);
    if (places === null) return null;
    return path.kind === "dash"
      ? writeMpd(presentation, { drm, ...places.dash })
      : writeMultivariantPlaylist(presentation, { drm, ...places.hls });
  }

  /** Where a manifest says that its media are: nowhere but beside it, or at every network. Null where nobody of that name asks. */
  function placesOf(path: ManifestPath, askedBy: string | null): Places | null {
    if (askedBy === null) return { dash: {}, hls: {} };
    const networks = steeredNetworks(addresses.edges, askedBy, packageFolder(path.contentId, path.revision));
    if (networks === null) return null;
    const serverUri = (protocol: "hls" | "dash"): string => steeringUrl(addresses.publicUrl, protocol);
    return {
      dash: { locations: networks, steering: { serverUri: serverUri("dash") } },
      hls: { pathways: networks, steeringServerUri: serverUri("hls") },
    };
  }

  return {
    async render(path, askedBy, context) {
      const name = "indexVersion" in path ? `main-${path.indexVersion}/${askedBy ?? ""}` : path.profile;
      const key = `${path.contentId}/r${path.revision}/${path.kind}/${path.planId}/${name}`;
      const known = rendered.get(key);
      if (known) return known;
      const title = await packageOf(path, context);
      const text =
        path.planId === ""
          ? write(path, title, askedBy)
          : writeSpliced(path, await spliceOf(path, title, context), placesOf(path, askedBy));
      if (text === null) throw problem.notFound("there is no such manifest");
      const body = Buffer.from(text);
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      const made = { body, etag, contentType: path.kind === "dash" ? DASH_TYPE : HLS_TYPE };
      rendered.set(key, made);
      return made;
    },
    forget(contentId) {
      for (const key of [...rendered.keys()]) if (key.startsWith(`${contentId}/`)) rendered.delete(key);
      for (const key of [...packages.keys()]) if (key.startsWith(`vod/${contentId}/`)) packages.delete(key);
    },
  };
}

const hasTrack = ({ video, audio, text, thumbnails }: Presentation, profile: string): boolean =>
  [...video, ...audio, ...text].some((track) => track.profile === profile) || thumbnails?.profile === profile;

function notFoundIsNothing(error: unknown): undefined {
  if (toProblem(error).code !== "not_found") throw error;
}

const indexOf = ({ contentId, packageRevision, indexVersion }: PlanAd): string =>
  `${packageFolder(contentId, packageRevision)}/index-${indexVersion}.json`;

/** The media playlist of whichever track has the folder. */
function writePlaylist(presentation: Presentation, drm: DrmByKid, profile: string): string | null {
  const { video, audio, text, thumbnails } = presentation;
  const track = [...video, ...audio].find((each) => each.profile === profile);
  if (track) return writeMediaPlaylist(presentation, track, { drm });
  const subtitles = text.find((each) => each.profile === profile);
  if (subtitles) return writeSubtitlesPlaylist(subtitles);
  return thumbnails?.profile === profile ? writeImagePlaylist(presentation, thumbnails) : null;
}

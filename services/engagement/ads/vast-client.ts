import { type Problem, toProblem } from "#kernel";
import { beaconsOf, fillMacros, mergeWrapper, parseVast, type VastAd, VAST_ERRORS, VastError } from "#media/vast";

/** What an ad server answered with in the end, and whom to tell that it was worth nothing. */
export interface Answer {
  /** InLine ads in the order of their pod, with everything that wrappers want to hear of them. */
  readonly ads: readonly VastAd[];
  /** Addresses of `Error`, filled in. */
  readonly complaints: readonly string[];
}

export interface Asking {
  /** The document behind an address. */
  readonly get: (url: string) => Promise<Uint8Array>;
  readonly macros: Readonly<Record<string, string | number>>;
}

/** The IAB recommends five; a chain that is longer serves nobody but those who count requests. */
const WRAPPERS_MAX = 5;
const DOCUMENTS_MAX = 12;
const ADS_MAX = 10;
const COMPLAINTS_MAX = 20;

/** Asks an ad server and follows its wrappers, each once. What goes wrong on the way is somebody's complaint and nobody's fault. */
export async function askForAds(tag: string, { get, macros }: Asking): Promise<Answer> {
  const complaints: string[] = [];
  const seen = new Set<string>();
  const complain = (uris: readonly string[], code: number): void => {
    const filled = uris.map((uri) => fillMacros(uri, { ...macros, ERRORCODE: code }));
    complaints.push(...filled.slice(0, COMPLAINTS_MAX - complaints.length));
  };

  async function follow(url: string, above: readonly VastAd[], allowsPod: boolean): Promise<VastAd[]> {
    const heard = above.flatMap(({ errors }) => errors);
    // The same address a second time leads to the same wrapper again.
    if (above.length > WRAPPERS_MAX || seen.has(url) || seen.size >= DOCUMENTS_MAX) {
      complain(heard, VAST_ERRORS.wrapperLimit);
      return [];
    }
    seen.add(url);
    let document;
    try {
      document = parseVast(await get(fillMacros(url, macros)));
    } catch (error) {
      complain(heard, codeOf(error, toProblem(error)));
      return [];
    }
    if (document.ads.length === 0) complain([...heard, ...document.errors], VAST_ERRORS.wrapperNoAd);
    const inOrder = document.ads.toSorted((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    const found: VastAd[] = [];
    for (const ad of allowsPod ? inOrder : inOrder.slice(0, 1)) {
      if (found.length >= ADS_MAX) break;
      if (ad.wrapper === null) {
        found.push(ad);
        continue;
      }
      const { tagUri, followAdditionalWrappers, allowMultipleAds } = ad.wrapper;
      const isStopped = above.at(-1)?.wrapper?.followAdditionalWrappers === false;
      if (isStopped) {
        complain([...heard, ...ad.errors], VAST_ERRORS.wrapperLimit);
        continue;
      }
      const next = resolve(tagUri, url);
      const below = await follow(next, [...above, ad], allowMultipleAds && followAdditionalWrappers);
      found.push(...below.map((each) => mergeWrapper(ad, each)));
    }
    return found.slice(0, ADS_MAX);
  }

  return { ads: await follow(tag, [], true), complaints };
}

const resolve = (uri: string, base: string): string => (URL.canParse(uri, base) ? new URL(uri, base).href : uri);

function codeOf(error: unknown, { code }: Problem): number {
  if (error instanceof VastError) return error.code;
  return code === "deadline_exceeded" || code === "canceled" ? VAST_ERRORS.wrapperTimeout : VAST_ERRORS.wrapper;
}

/** What another server's creative is known by: its universal id, else the address of its film. */
export function externalKeyOf(ad: VastAd, fileUri: string): string {
  const universal = ad.creatives.flatMap(({ linear, universalAdIds }) => (linear === null ? [] : universalAdIds))[0];
  const isNamed = universal && universal.value !== "" && !/^unknown$/i.test(universal.value);
  return (isNamed ? `uaid:${universal.registry}:${universal.value}` : `url:${fileUri}`).slice(0, 500);
}

/** What is to be told of an ad, addresses filled in as far as they can be by now. */
export const tellingOf = (ad: VastAd, durationS: number, macros: Asking["macros"]) =>
  beaconsOf(ad, durationS)
    .slice(0, 60)
    .map(({ atS, event, uri }) => ({ atS, event, uri: fillMacros(uri, macros) }));

/** What each page needs before it shows. The same functions run on the server and in the browser; only `api` differs. */
import { data, type LoaderFunctionArgs, redirect, redirectDocument } from "react-router";
import { ApiError } from "../../player/http.ts";
import type { Api } from "./api.ts";
import { orderIn } from "./guide-model.ts";
import { askedIn, foundBy, isNarrowed, parametersOf } from "./search/asked.ts";

function ownPath(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}

/**
 * Runs a page's calls. Signed out: to the sign-in page, by a whole navigation, since the server begins the authorization
 * request there. No profile chosen: to the profiles. Anything else is the error page's, with the problem as it came.
 */
async function guarded<T>(request: Request, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const returnTo = encodeURIComponent(ownPath(request));
    if (error.status === 401) throw redirectDocument(`/sign-in?returnTo=${returnTo}`);
    if (error.reason === "profile_required") throw redirect(`/profiles?returnTo=${returnTo}`);
    throw data(error.problem, { status: error.status });
  }
}

export function createLoaders(api: Api) {
  const idOf = ({ params }: LoaderFunctionArgs) => params["id"] ?? "";
  return {
    root: async ({ request }: LoaderFunctionArgs) => ({ viewer: await guarded(request, () => api.viewer()) }),
    home: ({ request }: LoaderFunctionArgs) => guarded(request, async () => ({ home: await homeOrNull(api) })),
    title: (args: LoaderFunctionArgs) => guarded(args.request, async () => ({ title: await api.title(idOf(args)) })),
    why: (args: LoaderFunctionArgs) =>
      guarded(args.request, async () => {
        const asked = askedIn(new URL(args.request.url).searchParams);
        return { asked, why: await api.why(idOf(args), foundBy(asked)) };
      }),
    channels: ({ request }: LoaderFunctionArgs) =>
      guarded(request, async () => ({ ...(await api.channels()), nowMs: Date.now() })),
    search: ({ request }: LoaderFunctionArgs) =>
      guarded(request, async () => {
        const asked = askedIn(new URL(request.url).searchParams);
        const [found, genres, guide] = await Promise.all([
          asked.q === "" && !isNarrowed(asked) ? null : api.search(parametersOf(asked), request.signal),
          api.genres(),
          // A search without the guide is still a search.
          asked.q === "" ? null : api.searchGuide(asked.q, request.signal).catch(() => null),
        ]);
        // What was asked of the guide in so many words comes before what has those words.
        const programmes = found !== null && found.programmes.length > 0 ? found.programmes : (guide?.programmes ?? []);
        return { asked, found, genres: genres.genres, programmes };
      }),
    genre: (args: LoaderFunctionArgs) => guarded(args.request, () => api.genre(idOf(args))),
    myList: ({ request }: LoaderFunctionArgs) => guarded(request, () => api.myList()),
    recordings: ({ request }: LoaderFunctionArgs) => guarded(request, () => api.recordings()),
    recording: (args: LoaderFunctionArgs) =>
      guarded(args.request, async () => ({ recording: await api.recording(idOf(args)) })),
    guide: ({ request }: LoaderFunctionArgs) =>
      guarded(request, async () => {
        const order = orderIn(new URL(request.url).searchParams);
        return { ...(await api.guideNow(order)), order };
      }),
    profiles: ({ request }: LoaderFunctionArgs) => guarded(request, () => api.profiles()),
    account: ({ request }: LoaderFunctionArgs) =>
      guarded(request, async () => {
        const [account, notices] = await Promise.all([api.account(), noticesOrNull(api)]);
        return { account, notices, nowMs: Date.now() };
      }),
  };
}

/** Before a profile was chosen there is nobody to ask; and where they cannot be had, the rest of the page can. */
const noticesOrNull = (api: Api) => api.noticePreferences().catch(() => null);

/** Signed out, the home address is the landing page: null says so. */
async function homeOrNull(api: Api) {
  try {
    return await api.home();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export type Loaders = ReturnType<typeof createLoaders>;
export type LoaderData<K extends keyof Loaders> = Awaited<ReturnType<Loaders[K]>>;

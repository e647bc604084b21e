import type { ComponentType } from "react";
import type { RouteObject } from "react-router";
import type { Api } from "./api.ts";
import { ChunkMissing } from "./chunk-missing.tsx";
import { createLoaders, type LoaderData } from "./loaders.ts";
import type { PageHandle, PageMeta } from "./meta.ts";
import { PageError } from "./page-error.tsx";
import { Root } from "./root.tsx";

type Page = () => Promise<{ Component: ComponentType }>;

/** The router shows nothing at all where a lazy route rejects: so it resolves, to a page that says so. */
function page(load: Page, handle: PageHandle) {
  const lazy: Page = () => load().catch(() => ({ Component: ChunkMissing }));
  return { lazy, handle, ErrorBoundary: PageError };
}

function handle(chunk: string, chrome: PageHandle["chrome"], meta: PageHandle["meta"]): PageHandle {
  return { chunk: `src/pages/${chunk}.tsx`, chrome, meta };
}

const titleMeta = (loaderData: unknown, prefix = ""): Partial<PageMeta> => {
  const found = (loaderData as LoaderData<"title"> | undefined)?.title;
  if (found === undefined) return {};
  return {
    title: prefix + (found.seriesTitle === null ? found.title : `${found.seriesTitle}: ${found.title}`),
    description: found.synopsis,
    image: found.backdrop ?? found.poster,
    type: found.kind === "film" ? "video.movie" : "video.tv_show",
  };
};

/** The whole site. `api` is the browser's or, while the server renders, the one that carries the visitor's cookie. */
export function createRoutes(api: Api): RouteObject[] {
  const load = createLoaders(api);
  return [
    {
      id: "root",
      path: "/",
      loader: load.root,
      Component: Root,
      ErrorBoundary: PageError,
      // Who is looking changes by whole navigations (sign in, choose a profile) or where a page asks for it.
      shouldRevalidate: ({ actionResult, currentUrl, nextUrl, defaultShouldRevalidate }) =>
        actionResult !== undefined || (defaultShouldRevalidate && currentUrl.href === nextUrl.href),
      children: [
        {
          id: "home",
          index: true,
          loader: load.home,
          ...page(
            () => import("./pages/home.tsx"),
            handle("home", "full", (loaderData, m) => {
              const home = (loaderData as LoaderData<"home"> | undefined)?.home;
              return home == null
                ? { title: "", description: m.landingText, isPublic: true }
                : { title: m.home, image: home.hero?.backdrop ?? null };
            }),
          ),
        },
        {
          path: "title/:id",
          loader: load.title,
          ...page(
            () => import("./pages/title.tsx"),
            handle("title", "full", (loaderData) => ({ ...titleMeta(loaderData), isPublic: true })),
          ),
        },
        {
          path: "why/:id",
          loader: load.why,
          ...page(
            () => import("./pages/why.tsx"),
            handle("why", "full", (_, m) => ({ title: m.why.title })),
          ),
        },
        {
          path: "watch/:id",
          loader: load.title,
          ...page(
            () => import("./pages/watch.tsx"),
            handle("watch", "none", (loaderData) => titleMeta(loaderData)),
          ),
        },
        {
          path: "live",
          loader: load.channels,
          ...page(
            () => import("./pages/channels.tsx"),
            handle("channels", "full", (_, m) => ({ title: m.live.title })),
          ),
        },
        {
          path: "live/:id",
          loader: load.channels,
          // Who changes channels wants the next picture, not the list of channels once more.
          shouldRevalidate: () => false,
          ...page(
            () => import("./pages/live.tsx"),
            handle("live", "none", (loaderData, m, { id }) => {
              const channels = (loaderData as LoaderData<"channels"> | undefined)?.channels ?? [];
              return { title: channels.find((channel) => channel.id === id)?.name ?? m.live.title };
            }),
          ),
        },
        {
          path: "search",
          loader: load.search,
          ...page(
            () => import("./pages/search.tsx"),
            handle("search", "full", (_, m) => ({ title: m.search })),
          ),
        },
        {
          path: "genre/:id",
          loader: load.genre,
          ...page(
            () => import("./pages/genre.tsx"),
            handle("genre", "full", (loaderData) => ({
              title: (loaderData as LoaderData<"genre"> | undefined)?.title ?? "",
            })),
          ),
        },
        {
          path: "guide",
          loader: load.guide,
          // Which programme is looked at is in the address, and changes nothing about the guide.
          shouldRevalidate: ({ currentUrl, nextUrl, defaultShouldRevalidate }) =>
            defaultShouldRevalidate && currentUrl.search === nextUrl.search,
          ...page(
            () => import("./pages/guide.tsx"),
            handle("guide", "full", (_, m) => ({ title: m.guide.title })),
          ),
        },
        {
          path: "my-list",
          loader: load.myList,
          ...page(
            () => import("./pages/my-list.tsx"),
            handle("my-list", "full", (_, m) => ({ title: m.myList })),
          ),
        },
        {
          path: "recordings",
          loader: load.recordings,
          ...page(
            () => import("./pages/recordings.tsx"),
            handle("recordings", "full", (_, m) => ({ title: m.recordings.title })),
          ),
        },
        {
          path: "recordings/:id",
          loader: load.recording,
          ...page(
            () => import("./pages/recording.tsx"),
            handle("recording", "none", (_, m) => ({ title: m.recordings.title })),
          ),
        },
        {
          path: "account",
          loader: load.account,
          ...page(
            () => import("./pages/account.tsx"),
            handle("account", "full", (_, m) => ({ title: m.account })),
          ),
        },
        {
          path: "profiles",
          loader: load.profiles,
          ...page(
            () => import("./pages/profiles.tsx"),
            handle("profiles", "small", (_, m) => ({ title: m.whoIsWatching })),
          ),
        },
        {
          path: "sign-in",
          ...page(
            () => import("./pages/sign-in.tsx"),
            handle("sign-in", "small", (_, m) => ({ title: m.signIn, isPublic: true })),
          ),
        },
        {
          path: "sign-up",
          ...page(
            () => import("./pages/sign-up.tsx"),
            handle("sign-up", "small", (_, m) => ({ title: m.signUp, isPublic: true })),
          ),
        },
        {
          path: "forgot-password",
          ...page(
            () => import("./pages/forgot-password.tsx"),
            handle("forgot-password", "small", (_, m) => ({ title: m.forgotTitle })),
          ),
        },
        {
          path: "reset-password",
          ...page(
            () => import("./pages/reset-password.tsx"),
            handle("reset-password", "small", (_, m) => ({ title: m.resetTitle })),
          ),
        },
        {
          path: "activate",
          ...page(
            () => import("./pages/activate.tsx"),
            handle("activate", "small", (_, m) => ({ title: m.activateTitle })),
          ),
        },
        {
          path: "*",
          loader: () => {
            throw new Response(null, { status: 404 });
          },
          Component: PageError,
          ErrorBoundary: PageError,
          handle: handle("home", "full", (_, m) => ({ title: m.notFoundTitle })),
        },
      ],
    },
  ];
}

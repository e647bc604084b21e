/** The first view of every page, rendered where the data is near. Pure towards the outside: a request in, an answer out. */
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { createStaticHandler, createStaticRouter, type StaticHandlerContext, StaticRouterProvider } from "react-router";
import { createHttp } from "../../player/http.ts";
import { loadMessages, pickLocale } from "../../ui/locale.ts";
import { WordsProvider } from "../../ui/words.tsx";
import { createApi } from "./api.ts";
import { documentOf, type ViteManifest } from "./document.ts";
import type { LoaderData } from "./loaders.ts";
import { isPageHandle } from "./meta.ts";
import { createRoutes } from "./routes.tsx";

export interface RenderRequest {
  /** Absolute, as the visitor asked: canonical addresses are made from it. */
  url: string;
  cookie: string;
  /** Where the web API answers: `http://127.0.0.1:8080`. */
  apiBaseUrl: string;
  nonce: string;
  acceptLanguage: string;
  /** The host that the visitor asked for: it names the tenant. */
  host: string;
  /** The parsed `.vite/manifest.json` of the client build. */
  assets: ViteManifest;
}

export interface RenderResult {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const HTML = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "private, no-store",
  vary: "cookie, accept-language",
};

function redirected(response: Response): RenderResult {
  const location = response.headers.get("location") ?? "/";
  return { status: response.status, headers: { location, "cache-control": "no-store" }, body: "" };
}

function rootData(context: StaticHandlerContext): LoaderData<"root"> | undefined {
  return context.loaderData["root"] as LoaderData<"root"> | undefined;
}

export async function render(request: RenderRequest): Promise<RenderResult> {
  const http = createHttp(request.apiBaseUrl.replace(/\/$/, ""), {
    cookie: request.cookie,
    "accept-language": request.acceptLanguage.slice(0, 1_000),
    "x-forwarded-host": request.host,
  });
  const { query, dataRoutes } = createStaticHandler(createRoutes(createApi(http)));
  const context = await query(new Request(request.url));
  if (context instanceof Response) return redirected(context);

  const viewer = rootData(context)?.viewer ?? null;
  const locale = pickLocale(viewer?.profile?.language ?? null, request.acceptLanguage);
  const m = await loadMessages(locale);
  const html = renderToString(
    <StrictMode>
      <WordsProvider m={m} locale={locale}>
        <StaticRouterProvider
          router={createStaticRouter(dataRoutes, context)}
          context={context}
          nonce={request.nonce}
        />
      </WordsProvider>
    </StrictMode>,
  );
  const match = context.matches.at(-1);
  const leaf = match?.route;
  const handle: unknown = leaf?.handle;
  const body = documentOf({
    html,
    url: new URL(request.url),
    nonce: request.nonce,
    assets: request.assets,
    locale,
    brand: viewer?.brand ?? null,
    chunks: isPageHandle(handle) ? [handle.chunk] : [],
    meta: isPageHandle(handle)
      ? handle.meta(leaf === undefined ? undefined : context.loaderData[leaf.id], m, match?.params ?? {})
      : {},
    tagline: m.landingText,
    isError: context.errors !== null,
  });
  return { status: context.statusCode, headers: HTML, body };
}

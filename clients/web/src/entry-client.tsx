import { type ReactNode, StrictMode, useEffect } from "react";
import { hydrateRoot } from "react-dom/client";
import { createBrowserRouter, matchRoutes } from "react-router";
import { RouterProvider } from "react-router/dom";
import { LOCALES, loadMessages } from "../../ui/locale.ts";
import { WordsProvider } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";
import { ChunkMissing } from "./chunk-missing.tsx";
import { startFlags } from "./flags.ts";
import { createRoutes } from "./routes.tsx";
import "./styles.css";

/** Says on the document that the script has taken the page over: presses are answered from now on. */
function Live({ children }: { children: ReactNode }) {
  useEffect(() => {
    document.documentElement.dataset["live"] = "";
  }, []);
  return children;
}

async function start(): Promise<void> {
  startFlags(browserApi.flags);
  const routes = createRoutes(browserApi);
  const locale = LOCALES.find((known) => known === document.documentElement.lang) ?? "en";
  // What the server rendered must be here in full before the page is taken over, or it would flicker.
  const lazy = (matchRoutes(routes, window.location) ?? []).map(async ({ route }) => {
    if (typeof route.lazy === "function") Object.assign(route, { ...(await route.lazy()), lazy: undefined });
    return route.Component;
  });
  const [m, ...components] = await Promise.all([loadMessages(locale), ...lazy]);
  // What the server rendered works without us; taking it over with a page that did not come would only break it.
  if (components.includes(ChunkMissing)) return;
  const router = createBrowserRouter(routes);
  const container = document.getElementById("app");
  if (container === null) throw new Error("The page has no #app element.");
  hydrateRoot(
    container,
    <StrictMode>
      <WordsProvider m={m} locale={locale}>
        <Live>
          <RouterProvider router={router} />
        </Live>
      </WordsProvider>
    </StrictMode>,
  );
}

void start();

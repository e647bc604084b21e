import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { createBrowserRouter, matchRoutes } from "react-router";
import { RouterProvider } from "react-router/dom";
import { LOCALES, loadMessages } from "../../ui/locale.ts";
import { WordsProvider } from "../../ui/words.tsx";
import { browserApi } from "./api.ts";
import { createRoutes } from "./routes.tsx";
import "./styles.css";

async function start(): Promise<void> {
  const routes = createRoutes(browserApi);
  const locale = LOCALES.find((known) => known === document.documentElement.lang) ?? "en";
  // What the server rendered must be here in full before the page is taken over, or it would flicker.
  const lazy = (matchRoutes(routes, window.location) ?? []).map(async ({ route }) => {
    if (typeof route.lazy !== "function") return;
    Object.assign(route, { ...(await route.lazy()), lazy: undefined });
  });
  const [m] = await Promise.all([loadMessages(locale), ...lazy]);
  const router = createBrowserRouter(routes);
  const container = document.getElementById("app");
  if (container === null) throw new Error("The page has no #app element.");
  hydrateRoot(
    container,
    <StrictMode>
      <WordsProvider m={m} locale={locale}>
        <RouterProvider router={router} />
      </WordsProvider>
    </StrictMode>,
  );
}

void start();

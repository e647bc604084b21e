import { useEffect } from "react";
import { Outlet, ScrollRestoration, useLocation, useMatches, useNavigation } from "react-router";
import { GridSkeleton, HomeSkeleton, TitleSkeleton } from "../../ui/skeletons.tsx";
import { useWords } from "../../ui/words.tsx";
import { BottomBar, Header, SmallHeader } from "./header.tsx";
import { useDelayed, useIsOnline, useViewer } from "./hooks.ts";
import { isPageHandle, tabTitle } from "./meta.ts";

/** Which skeleton stands where `pathname` will be; null where the old page may stay until the new one is there. */
function skeletonFor(pathname: string) {
  if (pathname === "/") return <HomeSkeleton />;
  if (pathname.startsWith("/title/")) return <TitleSkeleton />;
  if (/^\/(genre\/|my-list)/.test(pathname)) return <GridSkeleton />;
  if (/^\/(watch|live)\//.test(pathname)) return <div className="fixed inset-0 bg-black" />;
  return null;
}

export function Root() {
  const { m } = useWords();
  const viewer = useViewer();
  const matches = useMatches();
  const navigation = useNavigation();
  const location = useLocation();
  const isOnline = useIsOnline();
  const leaf = matches.at(-1);
  const handle = isPageHandle(leaf?.handle) ? leaf.handle : null;
  const target = navigation.location;
  const isLeaving = navigation.state === "loading" && target?.pathname !== location.pathname;
  const isLate = useDelayed(isLeaving, 120);
  const skeleton = isLate && target !== undefined ? skeletonFor(target.pathname) : null;
  const chrome = handle?.chrome ?? "full";

  useEffect(() => {
    document.title = tabTitle(
      handle?.meta(leaf?.loaderData, m, leaf?.params ?? {}).title,
      viewer?.brand.name ?? "Marquee",
    );
  }, [handle, leaf?.loaderData, leaf?.params, m, viewer?.brand.name]);

  return (
    <>
      <a
        href="#content"
        className="button button-primary sr-only z-50 focus:not-sr-only focus:fixed focus:start-4 focus:top-3"
      >
        {m.skipToContent}
      </a>
      {isLate && <div className="route-progress" aria-hidden="true" />}
      <p role="status" className="sr-only">
        {isLate ? m.loading : ""}
      </p>
      {chrome === "full" && <Header />}
      {chrome === "small" && <SmallHeader />}
      <main
        id="content"
        tabIndex={-1}
        className={chrome === "full" && viewer?.user != null ? "pb-24 outline-none sm:pb-16" : "outline-none"}
      >
        {skeleton ?? <Outlet />}
      </main>
      {chrome === "full" && viewer?.user != null && <BottomBar />}
      {!isOnline && chrome !== "none" && (
        <p
          role="status"
          className="arrive fixed inset-x-0 bottom-16 z-50 mx-auto w-fit rounded-full bg-lift-3 px-5 py-3 text-14 font-medium sm:bottom-6"
        >
          {m.offlineTitle}
        </p>
      )}
      <ScrollRestoration getKey={({ key }) => key} />
    </>
  );
}

/** What a page tells search engines, link previews and the browser's tab. */
import type { Image } from "../../../contracts/web/index.ts";
import type { Messages } from "../../ui/messages/en.ts";

export interface PageMeta {
  title: string;
  description: string;
  image: Image | null;
  type: "website" | "video.movie" | "video.tv_show";
  /** False for pages that belong to one person. */
  isPublic: boolean;
}

/** A route's `handle`. */
export interface PageHandle {
  meta(loaderData: unknown, m: Messages, params: Readonly<Record<string, string | undefined>>): Partial<PageMeta>;
  /** The page's source, to find its chunk in the Vite manifest. */
  chunk: string;
  /** Pages that fill the screen have no header of ours. */
  chrome: "full" | "small" | "none";
}

export function isPageHandle(handle: unknown): handle is PageHandle {
  return typeof handle === "object" && handle !== null && "meta" in handle && "chunk" in handle && "chrome" in handle;
}

/** The tab's words: the page's own first, the brand after it. */
export function tabTitle(own: string | undefined, brand: string): string {
  return own === undefined || own === "" || own === brand ? brand : `${own} · ${brand}`;
}

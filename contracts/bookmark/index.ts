import { defineContract, event } from "../../kernel/contract.ts";
import {
  type BookmarkResumed,
  bookmarkResumedSchema,
  type BookmarkUpdated,
  bookmarkUpdatedSchema,
} from "./gen/events.ts";
import { type Bookmark as BookmarkMessage, BookmarkService } from "./gen/bookmark_pb.js";

export type { BookmarkResumed, BookmarkUpdated } from "./gen/events.ts";
export type * from "./gen/bookmark_pb.js";

export type Bookmark = BookmarkMessage;
export const Bookmark = defineContract({
  name: "bookmark",
  rpc: BookmarkService,
  events: {
    updated: event<BookmarkUpdated>()("bookmark.updated", bookmarkUpdatedSchema),
    resumed: event<BookmarkResumed>()("bookmark.resumed", bookmarkResumedSchema),
  },
});

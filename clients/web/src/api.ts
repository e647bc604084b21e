/** What the pages ask of the web API. */
import type {
  Account,
  Airing,
  Card,
  ChannelList,
  ClientFlags,
  Guide,
  GuideNow,
  GuideProgramme,
  Home,
  NewProfile,
  Profile,
  ProfileChange,
  Title,
  Viewer,
} from "../../../contracts/web/index.ts";
import type {
  NewNoticePreferences,
  NoticePreferences,
  Notices,
  PushSubscription,
} from "../../../contracts/web/notifications/index.ts";
import type {
  NewRecording,
  NewSeriesRule,
  Recording,
  Recordings,
  SeriesRule,
} from "../../../contracts/web/recordings/index.ts";
import type { Click, Opinion, Personalisation, Why } from "../../../contracts/web/recommendations/index.ts";
import type { NewClick, SearchResults, Suggestions } from "../../../contracts/web/search/index.ts";
import { createHttp, type Http } from "../../player/http.ts";
import type { GuideOrder } from "./guide-model.ts";

export interface Cards {
  cards: Card[];
}
export interface GenreList {
  genres: { id: string; title: string }[];
}
export interface ProfileList {
  profiles: Profile[];
  max: number;
}

const part = encodeURIComponent;

export function createApi(http: Http) {
  return {
    viewer: () => http.call<Viewer>("/viewer"),
    flags: () => http.call<ClientFlags>("/flags"),
    home: () => http.call<Home>("/home"),
    title: (id: string) => http.call<Title>(`/titles/${part(id)}`),
    channels: () => http.call<ChannelList>("/channels"),
    genres: () => http.call<GenreList>("/genres"),
    genre: (id: string) => http.call<Cards & { title: string }>(`/genres/${part(id)}`),
    search: (parameters: URLSearchParams, signal: AbortSignal) =>
      http.call<SearchResults>(`/search?${parameters.toString()}`, { signal }),
    suggest: (query: string, signal: AbortSignal) =>
      http.call<Suggestions>(`/search/suggestions?q=${part(query)}`, { signal }),
    clickResult: (searchId: string, body: NewClick) =>
      http.call<null>(`/search/${part(searchId)}/clicks`, { method: "POST", body, keepalive: true }),
    myList: () => http.call<Cards>("/my-list"),
    setInMyList: (id: string, isIn: boolean) =>
      http.call<null>(`/my-list/${part(id)}`, { method: isIn ? "PUT" : "DELETE" }),
    removeFromContinue: (id: string) => http.call<null>(`/continue-watching/${part(id)}`, { method: "DELETE" }),
    setOpinion: (id: string, opinion: Opinion) =>
      http.call<null>(`/titles/${part(id)}/opinion`, { method: "PUT", body: { opinion } }),
    why: (id: string, search: string) => http.call<Why>(`/titles/${part(id)}/why${search}`),
    clickRecommendation: (body: Click) =>
      http.call<null>("/recommendations/clicks", { method: "POST", body, keepalive: true }),
    personalisation: (id: string) => http.call<Personalisation>(`/profiles/${part(id)}/personalisation`),
    setPersonalisation: (id: string, enabled: boolean) =>
      http.call<null>(`/profiles/${part(id)}/personalisation`, { method: "PUT", body: { enabled } }),
    guideNow: (order: GuideOrder) => http.call<GuideNow>(`/guide/now?limit=50&order=${order}`),
    guide: (days: readonly string[], page: { offset: number; limit: number; order: GuideOrder }) =>
      http.call<Guide>(`/guide?days=${days.join(",")}&offset=${page.offset}&limit=${page.limit}&order=${page.order}`),
    searchGuide: (query: string, signal: AbortSignal) =>
      http.call<{ programmes: Airing[] }>(`/guide/search?q=${part(query)}`, { signal }),
    setReminded: (id: string, isReminded: boolean) =>
      http.call<unknown>(`/reminders/${part(id)}`, isReminded ? { method: "PUT", body: {} } : { method: "DELETE" }),
    guideProgramme: (id: string, signal: AbortSignal) =>
      http.call<GuideProgramme>(`/guide/programmes/${part(id)}`, { signal }),
    profiles: () => http.call<ProfileList>("/profiles"),
    createProfile: (body: NewProfile) => http.call<Profile>("/profiles", { method: "POST", body }),
    changeProfile: (id: string, body: ProfileChange) =>
      http.call<Profile>(`/profiles/${part(id)}`, { method: "PATCH", body }),
    deleteProfile: (id: string) => http.call<null>(`/profiles/${part(id)}`, { method: "DELETE" }),
    account: () => http.call<Account>("/account"),
    choosePlan: (tier: Account["plan"]["tier"]) =>
      http.call<Account>("/account/plan", { method: "PUT", body: { tier } }),
    signOutDevice: (id: string) => http.call<null>(`/devices/${part(id)}`, { method: "DELETE" }),
    recordings: () => http.call<Recordings>("/recordings"),
    recording: (id: string) => http.call<Recording>(`/recordings/${part(id)}`),
    record: (body: NewRecording) => http.call<Recording>("/recordings", { method: "POST", body }),
    recordSeries: (body: NewSeriesRule) => http.call<SeriesRule>("/recordings/series", { method: "POST", body }),
    deleteRecording: (id: string) => http.call<null>(`/recordings/${part(id)}`, { method: "DELETE" }),
    endSeries: (id: string) => http.call<null>(`/recordings/series/${part(id)}`, { method: "DELETE" }),
    notices: ({ language, zone, before }: { language: string; zone: string; before?: string | undefined }) =>
      http.call<Notices>(
        `/notifications?language=${part(language)}&zone=${part(zone)}${before === undefined ? "" : `&before=${part(before)}`}`,
      ),
    readNotices: () => http.call<{ unread: number }>("/notifications/read", { method: "POST", body: {} }),
    clickNotice: (id: string) =>
      http.call<null>(`/notifications/${part(id)}/click`, { method: "POST", keepalive: true }),
    noticePreferences: () => http.call<NoticePreferences>("/notification-preferences"),
    setNoticePreferences: (body: NewNoticePreferences) =>
      http.call<NoticePreferences>("/notification-preferences", { method: "PUT", body }),
    pushKey: () => http.call<{ publicKey: string }>("/push-subscription"),
    subscribePush: (body: PushSubscription) => http.call<null>("/push-subscription", { method: "PUT", body }),
    unsubscribePush: () => http.call<null>("/push-subscription", { method: "DELETE" }),
    endStream: (id: string) => http.call<null>(`/streams/${part(id)}`, { method: "DELETE" }),
  };
}

export type Api = ReturnType<typeof createApi>;

/** The browser's: same origin, its cookie added by itself. Not called while the server renders. */
export const browserHttp = createHttp("");
export const browserApi = createApi(browserHttp);

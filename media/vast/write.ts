/** Writing VAST 4.2 for whoever asks our own server: InLine ads with one linear creative each. */
import { escapeXml } from "#media/xml";
import type { VastMediaFile, VastTracking } from "./model.ts";

export interface ServedAd {
  readonly id: string;
  readonly title: string;
  readonly advertiser: string;
  readonly durationS: number;
  /** Registry and value, which tell one creative from another wherever it is served. */
  readonly universalAdId: { readonly registry: string; readonly value: string };
  readonly impressions: readonly string[];
  readonly tracking: readonly Pick<VastTracking, "event" | "uri">[];
  readonly clickThrough: string | null;
  readonly mediaFiles: readonly Pick<VastMediaFile, "uri" | "type" | "delivery" | "width" | "height">[];
}

/** A document with the ads as a pod in their order; one without ads is the answer that there is none. */
export function writeVast(ads: readonly ServedAd[], errorUri: string | null = null): string {
  const error = errorUri === null || ads.length > 0 ? "" : `<Error>${cdata(errorUri)}</Error>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<VAST version="4.2">${error}${ads.map((ad, i) => writeAd(ad, i + 1, ads.length)).join("")}</VAST>\n`;
}

/** Addresses are full of ampersands, so that they stand in CDATA, as everybody writes them. */
const cdata = (text: string): string => `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;

export function formatClock(seconds: number): string {
  const ms = Math.round(seconds * 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const whole = Math.floor(ms / 1_000);
  const clock = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60].map(two).join(":");
  return ms % 1_000 === 0 ? clock : `${clock}.${String(ms % 1_000).padStart(3, "0")}`;
}

function writeAd(ad: ServedAd, sequence: number, count: number): string {
  const { registry, value } = ad.universalAdId;
  const pod = count > 1 ? ` sequence="${sequence}"` : "";
  const files = ad.mediaFiles.map(
    ({ uri, type, delivery, width, height }) =>
      `<MediaFile delivery="${escapeXml(delivery)}" type="${escapeXml(type)}" width="${width ?? 0}" height="${height ?? 0}">${cdata(uri)}</MediaFile>`,
  );
  const tracking = ad.tracking.map(
    ({ event, uri }) => `<Tracking event="${escapeXml(event)}">${cdata(uri)}</Tracking>`,
  );
  const click =
    ad.clickThrough === null ? "" : `<VideoClicks><ClickThrough>${cdata(ad.clickThrough)}</ClickThrough></VideoClicks>`;
  return [
    `<Ad id="${escapeXml(ad.id)}"${pod}><InLine><AdSystem version="1">Marquee</AdSystem><AdTitle>${escapeXml(ad.title)}</AdTitle>`,
    `<AdServingId>${escapeXml(ad.id)}</AdServingId>`,
    ad.impressions.map((uri) => `<Impression>${cdata(uri)}</Impression>`).join(""),
    `<Advertiser>${escapeXml(ad.advertiser)}</Advertiser>`,
    `<Creatives><Creative id="${escapeXml(ad.id)}" sequence="1"><UniversalAdId idRegistry="${escapeXml(registry)}">${escapeXml(value)}</UniversalAdId>`,
    `<Linear><Duration>${formatClock(ad.durationS)}</Duration><TrackingEvents>${tracking.join("")}</TrackingEvents>${click}`,
    `<MediaFiles>${files.join("")}</MediaFiles></Linear></Creative></Creatives></InLine></Ad>`,
  ].join("");
}

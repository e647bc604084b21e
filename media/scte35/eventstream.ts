/**
 * Splices in DASH manifests: EventStream of a Period (ISO/IEC 23009-1, 5.10.2), by ANSI/SCTE 214-1, section 6.7.
 *
 *   urn:scte:scte35:2014:xml+bin   Signal > Binary, the section in base64
 *   urn:scte:scte35:2013:xml       SpliceInfoSection, the section as XML (ANSI/SCTE 35, section 11)
 */
import { fail } from "./bits.ts";
import { TICKS_PER_S } from "./cues.ts";
import { decodeSplice } from "./decode.ts";
import type { SegmentationDescriptor, SpliceCommand, SpliceDescriptor, SpliceInfo } from "./model.ts";

export const SCHEME_BINARY = "urn:scte:scte35:2014:xml+bin";
export const SCHEME_XML = "urn:scte:scte35:2013:xml";
const NAMESPACE_BINARY = "http://www.scte.org/schemas/35/2016";

export interface SpliceEvent {
  /** Unique in the stream of events. */
  readonly id: number;
  /** From the start of the Period. */
  readonly presentationTimeS: number;
  readonly durationS: number | null;
  readonly section: Uint8Array;
}

/** An EventStream with all events; empty text without any, since a Period needs none. */
export function writeEventStream(
  events: readonly SpliceEvent[],
  scheme: typeof SCHEME_BINARY | typeof SCHEME_XML = SCHEME_BINARY,
): string {
  if (events.length === 0) return "";
  const written = events.map(({ id, presentationTimeS, durationS, section }) => {
    const at = Math.round(presentationTimeS * TICKS_PER_S);
    if (at < 0) throw fail(`the event ${id} begins ${presentationTimeS} s before its period`);
    const duration = durationS === null ? "" : ` duration="${Math.round(durationS * TICKS_PER_S)}"`;
    const body = scheme === SCHEME_XML ? writeSectionXml(decodeSplice(section)) : writeBinary(section);
    return `<Event presentationTime="${at}"${duration} id="${id}">${body}</Event>`;
  });
  return `<EventStream schemeIdUri="${scheme}" timescale="${TICKS_PER_S}">${written.join("")}</EventStream>`;
}

const writeBinary = (section: Uint8Array): string =>
  `<Signal xmlns="${NAMESPACE_BINARY}"><Binary>${Buffer.from(section).toString("base64")}</Binary></Signal>`;

type Value = string | number | boolean | null;

/** An element; an attribute that is null is left out. Every value here is a number, a flag, hexadecimal or escaped. */
function element(name: string, attributes: Readonly<Record<string, Value>>, body = ""): string {
  const list = Object.entries(attributes).map(([key, value]) => (value === null ? "" : ` ${key}="${textOf(value)}"`));
  return body === "" ? `<${name}${list.join("")}/>` : `<${name}${list.join("")}>${body}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Characters that XML has not are left out: they come from the strings of broken encoders and mean nothing. */
const textOf = (value: string | number | boolean): string =>
  String(value)
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "")
    .replaceAll(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

export function writeSectionXml(info: SpliceInfo): string {
  const { ptsAdjustment, tier, sapType, command } = info;
  return element(
    "SpliceInfoSection",
    { xmlns: SCHEME_XML, protocolVersion: 0, ptsAdjustment, tier, sapType },
    writeCommandXml(command) + info.descriptors.map(writeDescriptorXml).join(""),
  );
}

const spliceTime = (ptsTime: number | null): string => element("SpliceTime", { ptsTime });

function writeCommandXml(command: SpliceCommand): string {
  switch (command.kind) {
    case "null":
      return element("SpliceNull", {});
    case "bandwidthReservation":
      return element("BandwidthReservation", {});
    case "timeSignal":
      return element("TimeSignal", {}, spliceTime(command.ptsTime));
    case "insert":
      return writeInsertXml(command);
    case "private":
      return element(
        "PrivateCommand",
        { identifier: identifierOf(command.identifier) },
        privateBytes(command.bytesHex),
      );
    case "other":
    case "encrypted":
      throw fail(`a command of kind ${command.kind} has no form in XML`);
  }
}

const identifierOf = (text: string): number => Buffer.from(text, "latin1").readUInt32BE(0);
const privateBytes = (hex: string): string => (hex === "" ? "" : `<PrivateBytes>${hex}</PrivateBytes>`);

function writeInsertXml(command: Extract<SpliceCommand, { kind: "insert" }>): string {
  const ids = { spliceEventId: command.eventId, spliceEventCancelIndicator: command.cancel };
  if (command.cancel) return element("SpliceInsert", ids);
  const { components, immediate, breakDuration } = command;
  const where =
    components === null
      ? element("Program", {}, immediate ? "" : spliceTime(command.ptsTime))
      : components
          .map(({ tag, ptsTime }) => element("Component", { componentTag: tag }, immediate ? "" : spliceTime(ptsTime)))
          .join("");
  return element(
    "SpliceInsert",
    {
      ...ids,
      ...{ outOfNetworkIndicator: command.outOfNetwork, spliceImmediateFlag: immediate },
      ...{ uniqueProgramId: command.uniqueProgramId, availNum: command.availNum },
      availsExpected: command.availsExpected,
    },
    where + (breakDuration === null ? "" : element("BreakDuration", { ...breakDuration })),
  );
}

function writeDescriptorXml(descriptor: SpliceDescriptor): string {
  switch (descriptor.kind) {
    case "avail":
      return element("AvailDescriptor", { providerAvailId: descriptor.providerAvailId });
    case "dtmf":
      return element("DTMFDescriptor", { preroll: descriptor.prerollTenths, chars: descriptor.chars });
    case "time":
      return element("TimeDescriptor", {
        ...{ taiSeconds: descriptor.taiSeconds, taiNs: descriptor.taiNs },
        utcOffset: descriptor.utcOffsetS,
      });
    case "audio":
      return element("AudioDescriptor", {}, descriptor.components.map(writeAudioXml).join(""));
    case "segmentation":
      return writeSegmentationXml(descriptor);
    case "other":
      return element(
        "PrivateDescriptor",
        { descriptorTag: descriptor.tag, identifier: identifierOf(descriptor.identifier) },
        privateBytes(descriptor.bytesHex),
      );
  }
}

function writeAudioXml(each: Extract<SpliceDescriptor, { kind: "audio" }>["components"][number]): string {
  return element("AudioChannel", {
    ...{ componentTag: each.tag, ISOCode: each.language, BitStreamMode: each.bitStreamMode },
    ...{ NumChannels: each.channels, FullSrvcAudio: each.fullService },
  });
}

function writeSegmentationXml(descriptor: SegmentationDescriptor): string {
  const ids = {
    segmentationEventId: descriptor.eventId,
    segmentationEventCancelIndicator: descriptor.cancel,
    segmentationEventIdComplianceIndicator: descriptor.compliant,
  };
  if (descriptor.cancel) return element("SegmentationDescriptor", ids);
  const { restrictions, components, upid, sub } = descriptor;
  const restricted =
    restrictions === null
      ? ""
      : element("DeliveryRestrictions", {
          webDeliveryAllowedFlag: restrictions.webDeliveryAllowed,
          noRegionalBlackoutFlag: restrictions.noRegionalBlackout,
          archiveAllowedFlag: restrictions.archiveAllowed,
          deviceRestrictions: restrictions.deviceRestrictions,
        });
  const each = (components ?? []).map(({ tag, ptsOffset }) => element("Component", { componentTag: tag, ptsOffset }));
  return element(
    "SegmentationDescriptor",
    {
      ...{ ...ids, segmentationDuration: descriptor.duration, segmentationTypeId: descriptor.typeId },
      ...{ segmentNum: descriptor.segmentNum, segmentsExpected: descriptor.segmentsExpected },
      ...{ subSegmentNum: sub?.num ?? null, subSegmentsExpected: sub?.expected ?? null },
    },
    restricted +
      element(
        "SegmentationUpid",
        { segmentationUpidType: upid.type, segmentationUpidFormat: "hexbinary" },
        upid.bytesHex,
      ) +
      each.join(""),
  );
}

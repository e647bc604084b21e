/** Bytes or text that break the format they claim to be. Codecs in media/ throw nothing else for bad input. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  /** The format at fault, such as `isobmff` or `cbor`. */
  readonly format: string;
  /** Where in the input, in bytes, when known. */
  readonly offsetBytes: number | undefined;

  constructor(format: string, message: string, offsetBytes?: number) {
    super(offsetBytes === undefined ? `${format}: ${message}` : `${format}: ${message} (at byte ${offsetBytes})`);
    this.format = format;
    this.offsetBytes = offsetBytes;
  }
}

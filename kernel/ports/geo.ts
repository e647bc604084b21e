/** The geography port: where an address on the net is. */
export interface Geo {
  /** The country (ISO 3166-1 alpha-2) of an IP address; empty where nobody knows. */
  countryOf(ip: string): string;
}

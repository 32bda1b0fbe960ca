import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/**
 * Addresses behind which clouds keep credentials of the machine, and those that are no host at all. An address that
 * leads there is a mistake or an attack, so it needs `link_local: true`. Private networks and loopback are allowed:
 * that is where ERPs stand.
 */
const refused = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16], // link-local; 169.254.169.254 is the metadata service of most clouds
  ['100.100.100.200', 32], // Alibaba Cloud
  ['168.63.129.16', 32], // Azure
  ['192.0.0.192', 32], // Oracle Cloud
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  refused.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 128],
  ['fe80::', 10],
  ['fd00:ec2::254', 128], // AWS
  ['fd20:ce::254', 128], // Google Cloud
  ['ff00::', 8],
] as const)
  refused.addSubnet(network, bits, 'ipv6');

/** The address may not be connected to. Nothing was sent. */
export class AddressRefused extends Error {
  constructor() {
    super('the address is link-local or a metadata service; `link_local: true` would allow it');
    this.name = 'AddressRefused';
  }
}

/** Whether a literal address is one of those; a name is not, it is judged when it is looked up. */
export function isRefused(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(address);
  if (family === 4) return refused.check(address, 'ipv4');
  return family === 6 && (refused.check(address, 'ipv6') || isRefused(embedded(address)));
}

/** The IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4), or nothing. */
function embedded(address: string): string {
  const words = expand(address);
  if (words.slice(0, 7).every((word) => word === 0)) return ''; // loopback
  const [a = 0, b = 0] = words[0] === 0x2002 ? words.slice(1, 3) : words.slice(6);
  const prefix = words.slice(0, 6).join(':');
  const carries =
    words[0] === 0x2002 || /^0:0:0:0:0:(0|65535)$/.test(prefix) || prefix === '100:65435:0:0:0:0';
  return carries ? [a >> 8, a & 255, b >> 8, b & 255].join('.') : '';
}

/** The eight words of an IPv6 address. */
function expand(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(+a << 8) | +b, (+c << 8) | +d].map((word) => word.toString(16)).join(':'),
  );
  const [head = '', tail] = hex.split('::');
  const words = (text: string) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  return [...before, ...new Array(8 - before.length - after.length).fill(0), ...after];
}

type Answered = (error: Error | null, addresses: string | LookupAddress[], family?: number) => void;

/**
 * `dns.lookup` that refuses those addresses. It is the lookup of the connection itself, so a name cannot answer
 * differently between a check and its use.
 */
export function guardedLookup(host: string, options: LookupOptions, done: Answered): void {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    if (addresses.some(({ address }) => isRefused(address))) return done(new AddressRefused(), []);
    const [first] = addresses;
    if (options.all) done(null, addresses);
    else done(null, first?.address ?? '', first?.family);
  });
}

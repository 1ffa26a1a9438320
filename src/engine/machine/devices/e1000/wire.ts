/** What a frame is on the wire: IEEE 802.3, sections 3.1 to 3.3 and 4.4.2. */

/** Without FCS: destination, source and type alone; padded; with a VLAN tag. */
export const FRAME_BYTES_MIN = 14
export const FRAME_BYTES_PADDED = 60
export const FRAME_BYTES_MAX = 1518
export const FCS_BYTES = 4
const PREAMBLE_BYTES = 8
const INTERPACKET_GAP_BYTES = 12
const NS_PER_BYTE = 8

/** From the first bit of the preamble to the last bit of the FCS, at 1 Gb/s. */
export const frameNs = (bytes: number): number => (PREAMBLE_BYTES + bytes + FCS_BYTES) * NS_PER_BYTE
/** Silence between two frames. */
export const INTERPACKET_GAP_NS = INTERPACKET_GAP_BYTES * NS_PER_BYTE

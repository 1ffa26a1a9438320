/** The seam to a network card's driver. Frames are Ethernet without FCS. */
export interface NetDevice {
  /** Station address. */
  readonly mac: number
  /** Hands a frame over; false when there is no room, and `onWritable` is called once there is. The device keeps no hold of the bytes. */
  transmit(frame: Uint8Array): boolean
  /** A frame came. The bytes are the receiver's to keep. */
  onReceive: (frame: Uint8Array) => void
  /** There is room again after `transmit` had refused. */
  onWritable: () => void
}

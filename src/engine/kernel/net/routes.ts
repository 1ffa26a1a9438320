import { networkOf } from './wire/address.ts'

export const ROUTES_MAX = 64

export interface Route {
  /** Network address. */
  destination: number
  prefix: number
  /** Next hop, 0 when the network is on the link. */
  gateway: number
  /** Index of the interface. */
  interface: number
}

/** Where packets go: the longest prefix decides (RFC 1812, 5.2.4.3). */
export class RouteTable {
  private routes: Route[] = []

  /** Takes the place of a route to the same network. */
  add(route: Route): void {
    const destination = networkOf(route.destination, route.prefix)
    this.routes = this.routes.filter((other) => other.destination !== destination || other.prefix !== route.prefix)
    if (this.routes.length >= ROUTES_MAX) throw new Error(`more than ${ROUTES_MAX} routes`)
    this.routes.push({ ...route, destination })
    this.routes.sort((a, b) => b.prefix - a.prefix)
  }

  removeInterface(index: number): void {
    this.routes = this.routes.filter((route) => route.interface !== index)
  }

  lookup(address: number): Route | null {
    return this.routes.find(({ destination, prefix }) => networkOf(address, prefix) === destination) ?? null
  }

  /** Longest prefix first. */
  list(): readonly Route[] {
    return this.routes
  }
}

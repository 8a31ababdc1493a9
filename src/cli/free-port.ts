import { Failure } from '../base/base.ts';

const PORTS_TRIED = 20;
const PORT_MAX = 65_535;

/** On the first port from `wanted` on that nobody has; where all that are tried are taken, the failure of the last. */
export async function onFreePort<Server>(
  wanted: number,
  open: (port: number) => Promise<Server>,
  { tries = PORTS_TRIED } = {},
): Promise<Server> {
  const last = Math.min(wanted + tries - 1, PORT_MAX);
  for (let port = wanted; ; port++) {
    try {
      return await open(port);
    } catch (error) {
      if (!isPortTaken(error) || port >= last) throw error;
    }
  }
}

/** Of whichever server. */
export const isPortTaken = (error: unknown): boolean =>
  error instanceof Failure && error.code.endsWith('.port_taken');

/** Whether it is another one than was asked for; who asks for 0 asks for any. */
export const isAnotherPort = (wanted: number, got: number): boolean => wanted !== 0 && got !== wanted;

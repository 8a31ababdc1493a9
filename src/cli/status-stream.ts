/** The stream as status asks it: never started by being asked, and looked for anew, because `dev` comes and goes. */
import type { StreamSource } from '../monitor/monitor.ts';
import { openStream, type Stream } from '../stream/stream.ts';
import { clientOptions, type Surroundings } from './compose.ts';
import { readEndpoint } from './endpoint-file.ts';

export interface StatusStream extends AsyncDisposable {
  source(): Promise<StreamSource>;
}

export function openStatusStream(around: Surroundings): StatusStream {
  const name = around.settings['stream.name'];
  const elsewhere = around.settings['stream.endpoint'] !== undefined || name.startsWith('arn:');
  let open: { endpoint: string | undefined; stream: Stream } | undefined;
  const at = async (endpoint: string | undefined): Promise<Stream> => {
    if (open !== undefined && open.endpoint === endpoint) return open.stream;
    await open?.stream.close();
    const stream = openStream(clientOptions(around, endpoint));
    open = { endpoint, stream };
    return stream;
  };
  return {
    async source() {
      if (elsewhere)
        return { name, stream: await at(around.settings['stream.endpoint']), keepsUncommitted: false };
      const running = await readEndpoint(around.settings.dir);
      if (running !== undefined) return { name, stream: await at(running.endpoint), keepsUncommitted: true };
      const why = 'no lakeward dev or run serves it now';
      return { name, stream: undefined, keepsUncommitted: true, why };
    },
    async [Symbol.asyncDispose]() {
      await open?.stream.close();
    },
  };
}

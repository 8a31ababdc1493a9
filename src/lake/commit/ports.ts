import type { Versions } from '../catalog/versions.ts';
import type { LakeOptions } from '../lake.ts';

export interface CommitPorts extends Required<Omit<LakeOptions, 'formatVersion' | 'needsForgotten'>> {
  versions: Versions;
}

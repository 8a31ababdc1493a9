/** As the store writes it: Hadoop, and with it Spark, leaves out the two slashes of an empty host. */
export const asStored = (location: string): string => location.replace(/^file:\/(?!\/)/, 'file:///');

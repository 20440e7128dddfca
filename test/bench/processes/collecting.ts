/** The words by which the bench asks a server to collect its garbage, and the server answers. */
export const collectOrder = 'collect garbage';
export const collected = 'garbage collected';

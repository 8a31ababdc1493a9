/** Error names of the service and the HTTP status each is sent with. */
export const ERROR_STATUS = {
  AccessDeniedException: 400,
  ExpiredIteratorException: 400,
  ExpiredNextTokenException: 400,
  IncompleteSignatureException: 400,
  InternalFailureException: 500,
  InvalidArgumentException: 400,
  InvalidSignatureException: 400,
  KMSAccessDeniedException: 400,
  KMSDisabledException: 400,
  KMSInvalidStateException: 400,
  KMSNotFoundException: 400,
  KMSOptInRequired: 400,
  KMSThrottlingException: 400,
  LimitExceededException: 400,
  MissingAuthenticationTokenException: 400,
  ProvisionedThroughputExceededException: 400,
  RequestEntityTooLargeException: 413,
  ResourceInUseException: 400,
  ResourceNotFoundException: 400,
  SerializationException: 400,
  ServiceUnavailable: 503,
  UnknownOperationException: 400,
  ValidationException: 400,
} as const;

export type KinesisErrorName = keyof typeof ERROR_STATUS;

/** What PutRecords answers for a record that was not taken. */
export type PutRecordErrorCode = 'ProvisionedThroughputExceededException' | 'InternalFailure';

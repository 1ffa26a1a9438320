/** Something the user can understand and act on: the message is one clear sentence, and no stack is shown with it. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the disk quota is exhausted',
  EEXIST: 'it already exists',
  EFBIG: 'it is too large',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a symbolic link',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  ENOTEMPTY: 'the folder is not empty',
  EPERM: 'the operation is not permitted',
  EROFS: 'the disk is read-only',
}

/** `cannot read a.c: there is no such file`. Errors that are sentences already pass unchanged. */
export function fileError(action: string, path: string, error: unknown): UserError {
  if (error instanceof UserError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new UserError(`cannot ${action} ${path}: ${(code !== undefined && REASONS[code]) || message}`)
}

/** What is said to people about files, and why one is not taken. */
export const fileTexts = {
  INVALID_FILE_SIZE: { ru: 'Файл больше {max} КБ.', en: 'The file is larger than {max} KB.' },
  INVALID_FILE_NAME: {
    ru: 'Нужно имя файла в одну строку до {max} знаков, без «/» и «\\».',
    en: 'A file name of one line is needed, up to {max} characters, without “/” and “\\”.',
  },
  INVALID_UPLOAD_SIZE: {
    ru: 'Нужен файл размером от 1 байта до {max} МБ.',
    en: 'A file of 1 byte to {max} MB is needed.',
  },
  INVALID_FILES: { ru: 'Файлов больше {max}.', en: 'There are more than {max} files.' },
  INVALID_FILE_TWICE: { ru: 'Один файл указан дважды.', en: 'One file is there twice.' },
  INVALID_FILE: {
    ru: 'Нужен ваш собственный загруженный файл, который ещё нигде не использован.',
    en: 'A file is needed that you have uploaded yourself and that is not used anywhere yet.',
  },
  TOO_MANY_UPLOADS: {
    ru: 'Не использовано уже {max} файлов. Используйте их, удалите или подождите.',
    en: 'There are {max} unused files already. Use them, discard them or wait.',
  },
  QUOTA_EXCEEDED_PERSON: {
    ru: 'Ваши файлы заняли всё отведённое место: {max} МБ. Удалите лишнее.',
    en: 'Your files take all the room that there is for them: {max} MB. Delete some.',
  },
  QUOTA_EXCEEDED_ORGANIZATION: {
    ru: 'Файлы организации заняли всё отведённое место: {max} МБ. Обратитесь к администратору.',
    en: 'The organization’s files take all the room that there is for them: {max} MB. Ask an administrator.',
  },
  UPLOAD_INCOMPLETE: { ru: 'Файл ещё не загружен полностью.', en: 'The file has not been uploaded in full yet.' },
  UPLOAD_TOO_LARGE: { ru: 'Файл больше, чем было указано.', en: 'The file is larger than was announced.' },
  UPLOAD_TOO_SHORT: { ru: 'Файл меньше, чем было указано.', en: 'The file is smaller than was announced.' },
  UPLOAD_IN_PARTS: { ru: 'Файл загружают целиком.', en: 'A file is uploaded as a whole.' },
  UPLOAD_TOO_SLOW: { ru: 'Загрузка шла слишком медленно.', en: 'The upload was too slow.' },
  UPLOAD_CONFLICT: {
    ru: 'Для этого файла уже загружено другое содержимое.',
    en: 'Other content was uploaded for this file already.',
  },
  REFUSED_EMPTY: { ru: 'Файл пуст.', en: 'The file is empty.' },
  REFUSED_TYPE_NOT_ALLOWED: { ru: 'Файлы такого типа не принимаются.', en: 'Files of this type are not taken.' },
  REFUSED_CONTENT_MISMATCH: {
    ru: 'Содержимое файла не соответствует его имени.',
    en: 'The content of the file is not what its name promises.',
  },
  REFUSED_ARCHIVE_TOO_LARGE: {
    ru: 'В архиве слишком много файлов или данных.',
    en: 'There are too many files or too much data in the archive.',
  },
  REFUSED_IMAGE_TOO_LARGE: { ru: 'Изображение слишком велико.', en: 'The image has too many pixels.' },
  REFUSED_UNREADABLE: {
    ru: 'Файл не читается: он повреждён или защищён паролем.',
    en: 'The file cannot be read: it is damaged or protected by a password.',
  },
} as const;

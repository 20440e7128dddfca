/** Texts of signing in. */
export const accountTexts = {
  INVALID_PHONE: {
    ru: 'Нужен номер мобильного телефона в международном формате, например +79161234567.',
    en: 'A mobile phone number in international form is needed, for example +79161234567.',
  },
  INVALID_COUNTRY: {
    ru: 'На номера этой страны коды не отправляются.',
    en: 'No codes are sent to phones of this country.',
  },
  INVALID_DEVICE_TOKEN: {
    ru: 'Ключ устройства — 32 случайных байта в base64url.',
    en: 'A device’s token is 32 random bytes in base64url.',
  },
  INVALID_CODE: {
    ru: 'Код неверен или устарел. Запросите новый.',
    en: 'The code is wrong or too old. Ask for a new one.',
  },
  DELIVERY_FAILED: {
    ru: 'Не удалось отправить код. Повторите позже.',
    en: 'The code could not be sent. Try again later.',
  },
  SIGN_IN_CODE: {
    ru: '{code} — код для входа в Homeroom. Никому его не сообщайте.',
    en: '{code} is your Homeroom sign-in code. Tell it to nobody.',
  },
} as const;

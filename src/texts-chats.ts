/** What is said to people about chats, messages and polls; part of the one catalogue. */
export const chatTexts = {
  FORBIDDEN_LEFT_CHAT: {
    ru: 'Вы больше не участвуете в этом чате.',
    en: 'You take part in this chat no longer.',
  },
  FORBIDDEN_CHAT_STAFF: {
    ru: 'В этом чате это могут делать только сотрудники.',
    en: 'In this chat only the staff may do this.',
  },
  FORBIDDEN_CHAT_MANAGERS: {
    ru: 'Это может делать только тот, кто ведёт этот чат.',
    en: 'Only who manages this chat may do this.',
  },
  FORBIDDEN_CHAT: {
    ru: 'С этим человеком вы чат начать не можете.',
    en: 'You may not begin a chat with this person.',
  },
  FORBIDDEN_AUTHOR: { ru: 'Это может сделать только автор.', en: 'Only the author may do this.' },
  SUPERVISOR_NEEDED: {
    ru: 'В чате есть обучающиеся: сначала назначьте другого ответственного сотрудника.',
    en: 'There are students in the chat: appoint another supervisor first.',
  },
  INVALID_SUPERVISOR: {
    ru: 'Ответственным может быть участник чата: подтверждённый сотрудник из группы обучающихся, администратор или руководитель.',
    en: 'A supervisor takes part in the chat: confirmed staff of the students’ group, an administrator or the head.',
  },
  INVALID_CHAT_PEOPLE: {
    ru: 'С кем-то из этих людей вы чат начать не можете.',
    en: 'You may not begin a chat with one of these people.',
  },
  INVALID_DIRECT_CHAT: {
    ru: 'Личный чат — с одним человеком, не с обучающимся, и без названия.',
    en: 'A direct chat is with one person, not a student, and has no name.',
  },
  INVALID_CHAT_NAME: { ru: 'Чату нужно название.', en: 'A chat needs a name.' },
  INVALID_DERIVED_CHAT: {
    ru: 'Состав и настройки этого чата следуют из структуры организации или личны.',
    en: 'Who takes part in this chat follows from the organization, or it is between two.',
  },
  INVALID_CHAT_SIZE: { ru: 'В чате не больше {max} участников.', en: 'At most {max} people take part in a chat.' },
  FORBIDDEN_TOO_LATE: {
    ru: 'Исправить можно только в течение {hours} часов.',
    en: 'Words can be changed for {hours} hours only.',
  },
  INVALID_POLL_MESSAGE: { ru: 'Вопрос опроса не меняется.', en: 'What a poll asks does not change.' },
  INVALID_NO_ACKNOWLEDGEMENT: {
    ru: 'Ознакомление с этим сообщением не требуется.',
    en: 'Nobody is asked to acknowledge this message.',
  },
  INVALID_FORWARD: {
    ru: 'Переслать можно отправленное сообщение с текстом или файлами.',
    en: 'What was sent and has words or files can be forwarded.',
  },
  TOO_MANY_SCHEDULED: {
    ru: 'Одновременно может ждать отправки не больше {max} сообщений.',
    en: 'At most {max} messages may wait to be sent.',
  },
  INVALID_EMPTY_MESSAGE: { ru: 'Сообщение без текста и файлов.', en: 'A message needs words or files.' },
  INVALID_CAPACITY: { ru: 'В этом качестве вы здесь не участвуете.', en: 'You do not take part here as that.' },
  INVALID_REPLY: { ru: 'На это сообщение здесь ответить нельзя.', en: 'This message cannot be answered here.' },
  INVALID_MENTION: { ru: 'Упомянуть можно только участников чата.', en: 'Only who takes part can be mentioned.' },
  INVALID_MESSAGE_NUMBER: { ru: 'Сообщения с таким номером ещё нет.', en: 'There is no message with this number yet.' },
  FORBIDDEN_POLL: {
    ru: 'Создавать опросы здесь могут сотрудники и родители.',
    en: 'Here the staff and guardians may create polls.',
  },
  FORBIDDEN_POLL_CREATOR: {
    ru: 'Закрыть опрос может тот, кто его создал, или тот, кто отвечает за это место.',
    en: 'Who created the poll, or answers for its place, may close it.',
  },
  FORBIDDEN_POLL_GUARDIANS: {
    ru: 'В этом опросе голосуют за детей их родители.',
    en: 'In this poll guardians vote for their children.',
  },
  VOTE_IS_FINAL: {
    ru: 'Анонимный голос уже учтён: изменить или отозвать его нельзя.',
    en: 'An anonymous vote is counted for good: it can neither be changed nor taken back.',
  },
  INVALID_POLL_PLACE: {
    ru: 'Опрос создаётся либо в чате, либо в публикации.',
    en: 'A poll is created either in a chat or in a post.',
  },
  INVALID_POLL_KEY: { ru: 'Для опроса в чате нужен этот ключ.', en: 'In a chat a poll needs this key.' },
  INVALID_POLL_EXISTS: { ru: 'В публикации уже есть опрос.', en: 'The post has a poll already.' },
  INVALID_POLL_OPTIONS: { ru: 'Варианты ответа повторяются.', en: 'The answers must differ.' },
  INVALID_POLL_OPTION: { ru: 'Такого варианта ответа нет.', en: 'There is no such answer.' },
  INVALID_POLL_ONE: { ru: 'Можно выбрать только один вариант.', en: 'Only one answer can be chosen.' },
  INVALID_POLL_ELECTORATE: {
    ru: 'За детей голосуют только в чате группы с родителями, в канале группы и в сообществе.',
    en: 'Votes for children are asked only in the chat of a group’s guardians, in its channel and in the community’s.',
  },
  INVALID_POLL_CHILD: {
    ru: 'За этого ребёнка вы в этом опросе не голосуете.',
    en: 'You do not vote for this child in this poll.',
  },
  INVALID_POLL_PERSON: {
    ru: 'В этом опросе каждый голосует сам за себя.',
    en: 'In this poll everybody votes for themselves.',
  },
  INVALID_POLL_DIRECT: {
    ru: 'Между двумя людьми голос анонимным не бывает.',
    en: 'Between two people no vote is anonymous.',
  },
  INVALID_POLL_CHILDREN: {
    ru: 'Голос за ребёнка анонимным не бывает: ребёнок считается один раз.',
    en: 'A vote for a child is not anonymous: each child counts once.',
  },
  INVALID_QUIET_HOURS: {
    ru: 'Тихие часы: начало и конец, и не одно и то же время; или ни того, ни другого.',
    en: 'Quiet hours have a beginning and an end that differ, or neither.',
  },
} as const;

/** What is said to people about broadcasts, meetings and calls; part of the one catalogue. */
export const liveTexts = {
  FORBIDDEN_SCHEDULE_BROADCAST: {
    ru: 'Трансляции здесь планируют администраторы, руководитель и подтверждённые сотрудники, которые здесь публикуют.',
    en: 'Broadcasts are planned here by administrators, the head, and confirmed staff who publish here.',
  },
  FORBIDDEN_BROADCAST: {
    ru: 'Это могут сделать только ведущий трансляции, администратор и руководитель.',
    en: 'Only the host of the broadcast, an administrator or the head may do this.',
  },
  FORBIDDEN_STREAM_KEY: { ru: 'Ключ трансляции есть только у ведущего.', en: 'The stream key is the host’s alone.' },
  FORBIDDEN_WATCH: {
    ru: 'Смотреть трансляции можно после подтверждения статуса «сотрудник».',
    en: 'Broadcasts can be watched once the status of employee is confirmed.',
  },
  INVALID_HOST: {
    ru: 'Ведущий — действующий сотрудник с подтверждённым статусом, который читает этот канал.',
    en: 'The host is an active employee with confirmed status who reads this channel.',
  },
  INVALID_CHANNEL_LIVE: {
    ru: 'В этом канале уже идёт трансляция.',
    en: 'There is a broadcast in this channel already.',
  },
  INVALID_ARCHIVED_CHANNEL: { ru: 'Этот канал в архиве.', en: 'This channel is archived.' },
  INVALID_QUESTIONS_OFF: {
    ru: 'В этой трансляции вопросы не принимаются.',
    en: 'No questions are taken in this broadcast.',
  },
  STREAMING_NOT_CONFIGURED: {
    ru: 'На этой установке нет медиасервера для трансляций.',
    en: 'This installation has no media server for broadcasts.',
  },
  CALLS_NOT_CONFIGURED: {
    ru: 'На этой установке не настроены звонки и видеовстречи.',
    en: 'Calls and video meetings are not configured on this installation.',
  },
  FORBIDDEN_SCHEDULE_MEETING: {
    ru: 'Встречи здесь назначают подтверждённые сотрудники этого чата или группы, администратор и руководитель.',
    en: 'Meetings are scheduled here by the confirmed staff of the chat or group, an administrator or the head.',
  },
  FORBIDDEN_MEETING: {
    ru: 'Это могут сделать только тот, кто назначил встречу, администратор и руководитель.',
    en: 'Only who scheduled the meeting, an administrator or the head may do this.',
  },
  INVALID_MEETING_AUDIENCE: {
    ru: 'Нужен либо чат, либо группа.',
    en: 'Either a chat or a group is needed.',
  },
  INVALID_MEETING_TIMES: {
    ru: 'Встреча заканчивается позже, чем начинается, и длится не больше суток.',
    en: 'A meeting ends after it starts, and takes a day at most.',
  },
  INVALID_MEETING_LOCATION: {
    ru: 'Место указывают для встречи HYBRID, и только для неё.',
    en: 'A HYBRID meeting has a location, and no other.',
  },
  INVALID_MEETING_ONLINE: {
    ru: 'Присутствие очно отмечают на встречах HYBRID.',
    en: 'Who is there in person is noted of HYBRID meetings.',
  },
  INVALID_MEETING_PEOPLE: {
    ru: 'Отметить можно только тех, для кого эта встреча.',
    en: 'Only those for whom the meeting is can be noted.',
  },
  FORBIDDEN_CALL: {
    ru: 'Групповой звонок начинает сотрудник.',
    en: 'A group call is begun by the staff.',
  },
  FORBIDDEN_END_CALL: {
    ru: 'Завершить звонок для всех может тот, кто звонил, или сотрудник.',
    en: 'Who called, or the staff, may end the call for all.',
  },
  FORBIDDEN_OWN_CALL: {
    ru: 'Свой звонок завершают, а не отклоняют.',
    en: 'One’s own call is ended, not declined.',
  },
  INVALID_CALL_GOING_ON: { ru: 'В этом чате уже идёт звонок.', en: 'There is a call in this chat already.' },
} as const;

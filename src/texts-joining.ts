/** What is said to those who invite, who ask and who come. */
export const joiningTexts = {
  INVALID_INVITED_CHILD: {
    ru: 'Законного представителя и обучающегося приглашают для ребёнка, сотрудника — нет.',
    en: 'Guardians and students are invited for a child, employees are not.',
  },
  INVALID_INVITED_GROUP: { ru: 'Укажите группу.', en: 'A group is needed.' },
  INVALID_STUDENT_USES: {
    ru: 'Запись одного ребёнка принадлежит одному обучающемуся.',
    en: 'The record of one child belongs to one student.',
  },
  INVALID_CHILD_USES: {
    ru: 'По одной ссылке к одному ребёнку приходят не больше {max} человек.',
    en: 'By one link at most {max} people come for one child.',
  },
  INVALID_CHILD_DAYS: {
    ru: 'Ссылка к ребёнку действует не дольше {max} дней.',
    en: 'A link for a child is good for at most {max} days.',
  },
  INVITE_EXHAUSTED: { ru: 'Приглашение уже использовано.', en: 'This invite has been used up.' },
  INVITE_EXPIRED: { ru: 'Срок приглашения истёк.', en: 'This invite has expired.' },
  INVITE_REVOKED: { ru: 'Приглашение больше не действует.', en: 'This invite is no longer valid.' },
  ALREADY_MEMBER: { ru: 'Такое участие в этой роли уже есть.', en: 'There is such a membership in this role already.' },
  ALREADY_REQUESTED: { ru: 'Такая заявка уже ждёт решения.', en: 'Such a request is already waiting.' },
  NAME_REQUIRED: { ru: 'Сначала укажите фамилию и имя.', en: 'Give your family name and given name first.' },
  NAME_FIXED: {
    ru: 'Имя участника меняет администратор организации.',
    en: 'A member’s name is changed by an administrator of the organization.',
  },
  REVOKED_BEFORE: {
    ru: 'Этому человеку раньше закрыли доступ: прочитайте причину и подтвердите решение.',
    en: 'This person’s access was taken before: read why, and confirm the decision.',
  },
  COOL_DOWN: { ru: 'После отказа заявку можно подать позже.', en: 'After a rejection, ask again later.' },
} as const;

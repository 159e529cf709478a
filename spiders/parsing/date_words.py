"""Which words do dates use, in sixteen languages?

English, German, French, Spanish, Italian, Dutch, Portuguese, Russian, Polish, Swedish, Danish and
Norwegian, Finnish, Turkish, Czech, Ukrainian; accents folded, lower case. Where two languages disagree about
a word, the one named first keeps it.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "january jan janner januar janvier janv enero ene gennaio gen januari janeiro января "
        "январь янв stycznia styczen sty "
        "tammikuuta tammikuu ocak leden ledna січня січ",
        "february feb februar fevrier fevr febrero febbraio februari fevereiro fev февраля февраль февр "
        "фев lutego luty lut "
        "helmikuuta helmikuu subat unora unor лютого лют",
        "march mar marz maerz mrz mars marzo maart mrt marco марта март мар marca marzec maaliskuuta "
        "maaliskuu mart brezna brezen березня бер",
        "april apr avril avr abril abr aprile апреля апрель апр kwietnia kwiecien kwi huhtikuuta "
        "huhtikuu nisan nis dubna duben квітня кві",
        "may mai mayo maggio mag mei maio мая май maja maj toukokuuta toukokuu mayis kvetna kveten "
        "травня тра",
        "june jun juni juin junio giugno giu junho июня июнь июн czerwca czerwiec cze kesakuuta kesakuu "
        "haziran haz cervna cerven червня чер",
        "july jul juli juillet juil julio luglio lug julho июля июль июл lipca lipiec lip heinakuuta "
        "heinakuu temmuz tem cervence cervenec липня лип",
        "august aug aout agosto ago ago augustus augusti agosto августа август авг sierpnia sierpien "
        "sie elokuuta elokuu agustos srpna srpen серпня сер",
        "september sep sept septembre septiembre set settembre setembro сентября сентябрь сент сен "
        "wrzesnia wrzesien wrz syyskuuta syyskuu eylul zari вересня вер",
        "october oct oktober okt octobre octubre ottobre ott outubro out октября октябрь окт "
        "pazdziernika pazdziernik paz oktober lokakuuta lokakuu ekim rijna rijen жовтня жов",
        "november nov novembre noviembre novembro ноября ноябрь нояб listopada listopad lis marraskuuta "
        "marraskuu kasim листопада",
        "december dec dezember dez decembre diciembre dic dicembre dezembro декабря декабрь дек grudnia "
        "grudzien gru joulukuuta joulukuu aralik prosince prosinec грудня гру",
    ),
    start=1,
):
    for _name in _names.split():
        MONTHS.setdefault(_name, _number)

UNITS: dict[str, str] = {}
for _unit, _names in {
    "second": "second seconds sec secs s sekunde sekunden seconde secondes segundo segundos secondo "
    "secondi seconden секунд секунду секунды sekund sekunder saniye",
    "minute": "minute minutes min mins m minuten minuto minutos minuti minuut minuten минут минуту "
    "минуты минута minut minuty minuter minutter dakika",
    "hour": "hour hours hr hrs h stunde stunden std heure heures hora horas ora ore uur uren час часа "
    "часов godzin godzine godziny timme timmar time timer saat",
    "day": "day days d tag tage tagen jour jours dia dias giorno giorni dag dagen день дня дней dni "
    "dzien dag dagar dage gun paiva paivaa den dny dnu день дні днів",
    "week": "week weeks wk wks w woche wochen semaine semaines sem semana semanas settimana settimane "
    "weken неделя неделю недели недель tydzien tygodnie tygodni vecka veckor uge uger uke uker hafta "
    "тиждень тижні тижнів",
    "month": "month months mo mos mon monat monate monaten mois mes meses mese mesi maand maanden mnd "
    "месяц месяца месяцев miesiac miesiace miesiecy manad manader maned maneder ay місяць місяці місяців",
    "year": "year years yr yrs y jahr jahre jahren an ans annee annees ano anos anno anni jaar jaren "
    "год года лет rok lata lat ar yil рік роки років",
}.items():
    for _name in _names.split():
        UNITS.setdefault(_name, _unit)

AGO = _words("ago vor il hace fa ha atras geleden назад temu sedan siden sitten once za тому ya faz")
ONE = _words("a an one ein einem einer eine un une una uno um uma een jeden jedna ett en et bir")
LAST = _words(
    "last past previous letzte letzten letzter letztes dernier derniere pasado pasada ultimo ultima "
    "scorso scorsa vorige afgelopen "
    " passado passada прошлый прошлой прошлом прошлую zeszly zeszlym zeszlego forra sidste"
)
DAYS_AGO: dict[str, int] = {
    **dict.fromkeys(
        _words(
            "today now heute aujourdhui hoy oggi vandaag hoje сегодня dzisiaj dzis idag bugun tanaan dnes "
            "сьогодні"
        ),
        0,
    ),
    **dict.fromkeys(
        _words("yesterday gestern hier ayer ieri gisteren ontem вчера wczoraj igar dun eilen vcera вчора"), 1
    ),
    **dict.fromkeys(
        _words("vorgestern anteayer eergisteren anteontem позавчера przedwczoraj forrgar позавчора"), 2
    ),
}
CJK_DAYS = {
    "一昨日": 2,  # before the one it contains
    "今日": 0,
    "今天": 0,
    "오늘": 0,
    "昨日": 1,
    "昨天": 1,
    "어제": 1,
    "前天": 2,
    "그저께": 2,
}
CJK_UNITS = {
    **dict.fromkeys(("秒", "초"), "second"),
    **dict.fromkeys(("分", "分钟", "分鐘", "분"), "minute"),
    **dict.fromkeys(("時間", "小时", "小時", "시간"), "hour"),
    **dict.fromkeys(("日", "天", "일"), "day"),
    **dict.fromkeys(("週間", "周", "週", "주"), "week"),
    **dict.fromkeys(("か月", "ヶ月", "カ月", "ヵ月", "个月", "個月", "개월", "달"), "month"),
    **dict.fromkeys(("年", "년"), "year"),
}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "mez": 60, "cest": 120,
    "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "ist": 330, "jst": 540, "est": -300, "edt": -240,
    "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "aest": 600, "aedt": 660,
}  # fmt: skip

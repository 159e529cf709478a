"""What does an emoji weigh where VADER's reading of its name is wrong or missing? In VADER's scale, by hand.

VADER reads names: "pouting face", "thumbs down" hold no word it knows, "fire" is a disaster.
"""

from __future__ import annotations

WEIGHTS: dict[str, float] = dict(
    [
        *dict.fromkeys("😡🤬🖕", -3.0).items(),
        *dict.fromkeys("😠👿🤮🤢💩👎", -2.4).items(),
        *dict.fromkeys("😤🙄😒🤦🚮🤡😾🐌🗑💔", -1.6).items(),
        *dict.fromkeys("😞😣😖😫😩🙁☹😟😔😕😑😢😭🙃🤷😪🥱🚩", -1.0).items(),
        *dict.fromkeys("❌⛔🚫⚠", -0.8).items(),
        *dict.fromkeys("🤔😐😳🤨😬", -0.4).items(),
        *dict.fromkeys("🔥💯💪🙌👏👌🏆🥇🤩🥳🎉🎊⭐🌟✨", 1.6).items(),
        *dict.fromkeys("👍😍🥰😘❤🧡💛💚💙💜🤎🖤💕💖💗😊☺😀😃😄😁😋🤗🤤", 2.0).items(),
        *dict.fromkeys("😂🤣😆😅😉😎🙂🙏✅", 0.6).items(),
        *dict.fromkeys("💀☠👻🔫💣🔪", 0.0).items(),
    ]
)

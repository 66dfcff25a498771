"""Well-known passwords, which are guessed first."""

from __future__ import annotations

from typing import Final

# The core of most well-known passwords: with digits or signs around it, or letters replaced by digits, it is as well
# known.
_BASES: Final = """
abc abcabc abcd abcde abcdef access admin administrateur administrator adminpassword alexander alyx alyxalyx amanda
america andrew android angel angels anthony apple april aqzsed arsenal asdasd asdf asdfgh asdfghjkl asdfqwer ashley
asshole august australia autumn azerty azertyuiop babyboy babygirl banana barcelona baseball basketball batman
berlin bienvenido bienvenue biteme blessed blink bonjour brain brainlab brainwide bullshit buster butterfly
california canada change-me change_me changeit changeme changemenow changethis charlie chelsea cherry chocolate
christian cingulum cingulumcingulum computer contrasena contraseña cookie correcthorsebatterystaple corvette daddy
daniel darling database datajoint december default defaultpassword demo demodemo deutschland docker donald
donttellanyone dragon eagle elizabeth england ephys facebook falcon family father february ferrari flower football
forever foreverlove freedom friday fruehling fuckme fuckoff fuckyou garfield george ginger github godisgood goodbye
google guest hallo happy harley haslo heaven hello hellohello helloworld herbst heslo hockey hola honey hunter
iamadmin ibl ihateyou iloveme iloveu iloveyou iloveyoutoo imtheboss instagram intbrainlab internationalbrain
internationalbrainlab internet iphone ironman january jennifer jessica jesus jesus1 jesuschrist jetaime jordan
joshua july june jupyter juventus killer kubernetes laboratories laboratory labpassword letmein letmeinnow linux
lion liverpool login london love lovelove lovely lover loveyou macbook march master matlab matrix matthew mercedes
mice michael michelle mickey mickeymouse microsoft mommy monday monkey motdepasse mother mouse mouselab mustang
mynameis mypassword mysecretpassword mysql neuro neuron neurons neuropixel neuropixels neuroscience newpassword
newyork nicole ninja nothing november october openalyx opensaysame opensesame openup oracle orange paris parola pass
passcode passphrase password password-reset passwordpassword passwort pepper phoenix pikachu pleasechangeme pokemon
porsche portugal postgres postgresql princess prinzessin private pussycat pw pwd python qazwsx qazwsxedc qazxsw qwe
qweasd qweasdzxc qweqwe qwerasdf qwerasdfzxcv qwerty qwertyasdf qwertyuiop qwertz qwertzuiop ranger realmadrid
research robert root rootpassword samantha samsung samurai saturday science scientist scooby secret secretpassword
secure security senha september server shadow signin snoopy soccer something sommer spiderman spring startrek
starwars summer sunday sunshine superman superstar superuser sweetheart sysadmin tapetes tapetesbloc teamo temp
temporary temppassword tequiero test tester testing testpassword testtest testuser texas thepassword thisisapassword
thisismypassword thomas thursday tiger tinkerbell topsecret trustno trustnoone tuesday ubuntu user username
userpassword volleyball wachtwoord wednesday welcome welcomeback welcomehome whatever william willkommen windows
winter wonderwoman wsxedc yamaha yourpassword yxcvbnm zaqwsx zaqxsw zxcvbnm zxczxc
"""

# Whole passwords without a core of letters, or in which letters and digits alternate.
_WHOLE: Final = """
0000000000 0102030405 010203040506 0123456789 0987654321 1029384756 1111111111 1122334455 11223344556 112233445566
123123123123 123321123321 1234554321 1234567890 12345678900 1234567890a 1234567891 12345678910 123456789123
123456789a 123456789q 1234qwerasdf 1234qwerasdfzxcv 1357924680 147258369 1472583690 1478963250 1a2b3c4d5e 1q2w3e4r5t
1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qaz@wsx3edc 1qazxsw23edc 2468013579 2718281828 3.14159265
3.141592653 3141592653 31415926535 5555555555 6666666666 7777777777 8888888888 9876543210 9876543211 9999999999
a123456789 a1b2c3d4e5 a1s2d3f4g5 abc123abc123 abcd1234abcd asdf1234asdf p@ssw0rd123 pa55word123 pass1234word
passw0rd12 q1w2e3r4t5 q1w2e3r4t5y6 qwe123asd456 qwer1234asdf qwerty12345 tapetesbloc18 zaq12wsxcde3 zaq1xsw2cde3
"""

BASES: Final = frozenset(_BASES.split())
WHOLE: Final = frozenset(_WHOLE.split())

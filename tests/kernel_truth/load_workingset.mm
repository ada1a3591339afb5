# Pages that come back soon after reclaim took them are active at once. Those that had been active before are told from
# those that never were, and nothing is made of pages that were away for long.
# tolerance 6%
machine nodes=1 node_mem=1G disk=8G
spawn p
@p cpu 0
@p map hot 400M file file=hot shared
@p map warm 400M file file=warm shared
@p map cold 4G file file=cold shared
@p read hot
@p read hot
@p read warm
@p read warm
sleep 300
@p read cold 0 384M
sleep 300
@p read hot 0 64M
sleep 300
@p read cold 384M 256M
sleep 300
@p read hot 128M 64M
sleep 300
@p read cold 640M 512M
sleep 300
@p read cold 640M 32M
sleep 300
@p exit

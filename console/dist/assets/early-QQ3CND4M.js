"use strict";(()=>{try{let e=localStorage.getItem("waybill.theme");(e==="light"||e==="dark")&&(document.documentElement.dataset.theme=e)}catch{delete document.documentElement.dataset.theme}})();
